# pgmoat - one Makefile, no recursion. `make help` lists the targets.
#
# Variables: BUILD (where everything goes), CC, CFLAGS, WERROR=1, SAN=address,undefined,
# PREFIX and DESTDIR, FUZZ_SECONDS, V=1 (show commands). `make demo`, `test` and the like install what is
# missing from Debian first; `make` alone installs nothing.

VERSION	:= 0.1.0

ifneq ($(filter asan,$(MAKECMDGOALS)),)
BUILD	?= build/asan
SAN	?= address,undefined
endif
ifneq ($(filter tsan,$(MAKECMDGOALS)),)
BUILD	?= build/tsan
SAN	?= thread
endif

BUILD	?= build
SAN	?=
PREFIX	?= /usr/local
FUZZ_SECONDS ?= 60
SMITH_SECONDS ?= 300
ifndef V
.SILENT:
endif
ifeq ($(origin CC),default)
CC	:= gcc
endif
FUZZ_CC	?= clang

# --- flags ---------------------------------------------------------------------

WARN	:= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
	   -Wwrite-strings -Wformat=2 -Wvla -Wimplicit-fallthrough
ifneq ($(filter true 1,$(CI) $(WERROR)),)
WARN	+= -Werror
endif

# Asked of the compiler once, and only when something is compiled: on a fresh
# machine it comes with `make deps`, after this file was read.
probe	= $(shell echo | $(CC) $(1) -Werror -include string.h -x c -c -o /dev/null - 2>/dev/null && echo '$(1)')
FORTIFY	= $(if $(SAN),,$(if $(filter -O1 -O2 -O3 -Os,$(CFLAGS)),$(lastword \
	  -D_FORTIFY_SOURCE=2 $(filter-out -O2,$(call probe,-O2 -D_FORTIFY_SOURCE=3)))))
HARDEN	= $(eval HARDEN := -fPIE -fstack-protector-strong $(call probe,-fstack-clash-protection) $(call probe,-fcf-protection) \
	  $(FORTIFY))$(HARDEN)
LINK	:= -pie -Wl,-z,relro,-z,now -Wl,--as-needed

ifdef SAN
CFLAGS	?= -O1 -g
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
else
CFLAGS	?= -O2 -g
endif

# PostgreSQL's node structs: with libpg_query on Debian 13, with the server's headers on Debian 12.
NODES	= $(eval NODES := $(addprefix -isystem ,$(shell ls -d /usr/include/pg_query/postgres /usr/include/postgresql/15/server \
	  2>/dev/null | head -n 1)))$(NODES)
PQ_INC	= $(eval PQ_INC := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags libpq)))$(PQ_INC)

# Hidden: libpg_query exports PostgreSQL's own names (list_free, errmsg...), and a function of ours with such a
# name would be called by it instead.
BASE	= -std=gnu17 -fvisibility=hidden -D_GNU_SOURCE -DPGMOAT_VERSION='"$(VERSION)"' $(WARN) -Iinclude -MMD -MP -pthread
CCFLAGS	= $(HARDEN) $(CFLAGS) $(SANFLAGS) $(BASE) $(CPPFLAGS)
LDALL	= $(CFLAGS) $(SANFLAGS) $(LINK) -pthread $(LDFLAGS)

POLICY_LIBS := -lpg_query -lcjson
PROXY_LIBS  := -levent_core -levent_extra -levent_pthreads -levent_openssl -lpq -lssl -lcrypto

# --- what there is -------------------------------------------------------------

POLICY_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard policy/*.c)))
PROXY_OBJ  := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard proxy/*.c mcp/*.c)))
BENCH_BIN  := $(patsubst %.c,$(BUILD)/%,$(wildcard bench/*.c))

# A test of policy/NAME.c is called test_NAME and links the library alone, so
# that policy/ cannot come to need a socket. These too, though no file has their name:
POLICY_TESTS := $(patsubst policy/%.c,test_%,$(wildcard policy/*.c)) test_agreement test_policy test_builtin

TESTS	   := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
TEST_BIN   := $(addprefix $(BUILD)/tests/,$(TESTS))
POLICY_BIN := $(addprefix $(BUILD)/tests/,$(filter $(POLICY_TESTS),$(TESTS)))
PROXY_BIN  := $(filter-out $(POLICY_BIN),$(TEST_BIN))

FUZZERS	   := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_BIN   := $(addprefix $(BUILD)/fuzz/,$(FUZZERS))

.PHONY: all demo test unit regress smith lint bench fuzz fuzz-build asan tsan install clean help deps deps-ci deps-bench FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/pgmoat $(BUILD)/libpolicy.a

help:
	@echo 'make            build $(BUILD)/pgmoat'
	@echo 'make demo       a throwaway PostgreSQL, pgmoat before it, and an agent that goes too far'
	@echo 'make test       unit, protocol and end-to-end tests'
	@echo 'make unit       the unit tests alone'
	@echo 'make asan tsan  build and test with sanitizers, in build/asan and build/tsan'
	@echo 'make regress    the judge against PostgreSQL'\''s own regression suite'
	@echo 'make smith      sqlsmith and a mutation fuzzer, SMITH_SECONDS ($(SMITH_SECONDS)) each'
	@echo 'make fuzz       every fuzzer for FUZZ_SECONDS ($(FUZZ_SECONDS)) seconds'
	@echo 'make lint       formatting, clang-tidy, cppcheck, layering, manual page'
	@echo 'make bench      beside HAProxy and PgBouncer; writes bench/RESULTS.md'
	@echo 'make deps       install from Debian what build, demo and test need'
	@echo 'make install    into $(PREFIX)'

# --- compiling -----------------------------------------------------------------

$(BUILD)/pgmoat: $(PROXY_OBJ) $(BUILD)/libpolicy.a
	@echo '  LINK  $@'
	$(CC) $(LDALL) -o $@ $^ $(PROXY_LIBS) $(POLICY_LIBS)

$(BUILD)/libpolicy.a: $(POLICY_OBJ)
	@rm -f $@
	@echo '  AR    $@'
	ar rcs $@ $^

$(BUILD)/libproxy.a: $(filter-out $(BUILD)/proxy/main.o,$(PROXY_OBJ))
	@rm -f $@
	@echo '  AR    $@'
	ar rcs $@ $^

$(BUILD)/policy/%.o: policy/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC    $<'
	$(CC) $(CCFLAGS) $(NODES) -c -o $@ $<

$(BUILD)/proxy/%.o: proxy/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC    $<'
	$(CC) $(CCFLAGS) $(PQ_INC) -c -o $@ $<

$(BUILD)/mcp/%.o: mcp/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC    $<'
	$(CC) $(CCFLAGS) $(PQ_INC) -c -o $@ $<

# Tests and benchmarks may look inside everything.
$(BUILD)/unit/%.o: tests/unit/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC    $<'
	$(CC) $(CCFLAGS) -Ipolicy -Iproxy -Itests/lib $(NODES) $(PQ_INC) -c -o $@ $<

$(BUILD)/bench/%.o: bench/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC    $<'
	$(CC) $(CCFLAGS) -c -o $@ $<

# Rebuilds when the compiler or a flag changes.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(subst ','\'',$(CCFLAGS)) $(NODES)' | cmp -s - $@ || echo '$(CC) $(subst ','\'',$(CCFLAGS)) $(NODES)' > $@

$(POLICY_BIN): $(BUILD)/tests/%: $(BUILD)/unit/%.o $(BUILD)/libpolicy.a
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(CC) $(LDALL) -o $@ $^ -lcmocka $(POLICY_LIBS) $(if $(wildcard /usr/include/protobuf-c),-lprotobuf-c)

$(PROXY_BIN): $(BUILD)/tests/%: $(BUILD)/unit/%.o $(BUILD)/libproxy.a $(BUILD)/libpolicy.a
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(CC) $(LDALL) -o $@ $^ -lcmocka $(PROXY_LIBS) $(POLICY_LIBS)

$(BENCH_BIN): $(BUILD)/bench/%: $(BUILD)/bench/%.o $(BUILD)/libpolicy.a
	@echo '  LINK  $@'
	$(CC) $(LDALL) -o $@ $^ $(POLICY_LIBS)

# Our walk against a generic one, over PostgreSQL's own statements (tests/regress/run.sh).
$(BUILD)/regress/agree: tests/regress/agree.c $(BUILD)/libpolicy.a
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(CC) $(CCFLAGS) -Ipolicy $(NODES) $(LDALL) -o $@ $^ $(POLICY_LIBS) -lprotobuf-c

# Statements made up by the thousand, and what the judge says of them (tests/smith).
$(BUILD)/smith/judge: tests/smith/judge.c $(BUILD)/libpolicy.a
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(CC) $(CCFLAGS) $(LDALL) -o $@ $^ $(POLICY_LIBS)

# --- fuzzers: everything once more, with clang's coverage ------------------------

FUZZ_CFLAGS = -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer $(BASE)
FUZZ_OBJ    := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(sort $(wildcard policy/*.c)) $(filter-out proxy/main.c,$(sort $(wildcard proxy/*.c mcp/*.c))))

$(BUILD)/fuzz/policy/%.o: policy/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CLANG $<'
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(NODES) -c -o $@ $<

$(BUILD)/fuzz/proxy/%.o: proxy/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CLANG $<'
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(PQ_INC) -c -o $@ $<

$(BUILD)/fuzz/mcp/%.o: mcp/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CLANG $<'
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(PQ_INC) -c -o $@ $<

$(BUILD)/fuzz/%.o: tests/fuzz/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CLANG $<'
	$(FUZZ_CC) $(FUZZ_CFLAGS) -Ipolicy -Iproxy $(NODES) $(PQ_INC) -c -o $@ $<

$(BUILD)/fuzz/liball.a: $(FUZZ_OBJ)
	@rm -f $@
	@echo '  AR    $@'
	ar rcs $@ $^

$(FUZZ_BIN): %: %.o $(BUILD)/fuzz/liball.a
	@echo '  LINK  $@'
	$(FUZZ_CC) -g -fsanitize=address,undefined,fuzzer -o $@ $^ -pthread $(PROXY_LIBS) $(POLICY_LIBS)

fuzz-build: $(FUZZ_BIN)

fuzz: deps-ci fuzz-build
	tests/lib/fuzz.sh $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZERS)

# --- running -------------------------------------------------------------------

demo: deps all
	tests/demo/run.sh $(BUILD)

test asan tsan: deps all $(TEST_BIN)
	SAN=$(SAN) tests/run.sh $(BUILD) $(if $(filter tsan,$@),threads)

unit: $(TEST_BIN)
	tests/run.sh $(BUILD) unit

regress: deps-ci all $(BUILD)/regress/agree
	tests/regress/run.sh

smith: deps-ci all $(BUILD)/smith/judge
	BUILD=$(BUILD) tests/smith/run.sh $(SMITH_SECONDS)
	BUILD=$(BUILD) tests/smith/mutate.sh $(SMITH_SECONDS)

lint: deps-ci
	tests/lint.sh '$(subst ','\'',$(BASE))' '$(NODES)' '$(PQ_INC)'

bench: deps-bench all $(BENCH_BIN)
	bench/run.sh $(BUILD)

deps:
	@tests/lib/deps.sh test

deps-ci:
	@tests/lib/deps.sh ci

deps-bench:
	@tests/lib/deps.sh bench

# Where the packages are wanted, they come before the first compiler call.
ifneq ($(filter demo test asan tsan,$(MAKECMDGOALS)),)
$(BUILD)/flags: | deps
endif
ifneq ($(filter fuzz,$(MAKECMDGOALS)),)
$(BUILD)/flags: | deps-ci
endif
ifneq ($(filter bench,$(MAKECMDGOALS)),)
$(BUILD)/flags: | deps-bench
endif

install: all
	install -D -m 755 $(BUILD)/pgmoat $(DESTDIR)$(PREFIX)/bin/pgmoat
	install -D -m 644 proxy/pgmoat.1 $(DESTDIR)$(PREFIX)/share/man/man1/pgmoat.1

clean:
	rm -rf build

-include $(wildcard $(BUILD)/policy/*.d $(BUILD)/proxy/*.d $(BUILD)/mcp/*.d $(BUILD)/unit/*.d $(BUILD)/bench/*.d \
	   $(BUILD)/fuzz/*.d $(BUILD)/fuzz/*/*.d)
