#!/bin/bash
# lint.sh BASE_FLAGS NODE_FLAGS LIBPQ_FLAGS: everything that can be wrong without running it. `make lint` calls it.
# LINT="format layers..." runs only these.
set -u
cd "$(dirname "$0")/.." || exit 1
read -ra base <<<"${1//\'/}"
read -ra nodes <<<"$2"
read -ra libpq <<<"$3"
shopt -s nullglob
code=(policy/*.c proxy/*.c mcp/*.c)
headers=(include/*.h policy/*.h proxy/*.h mcp/*.h)
ours=("${code[@]}" "${headers[@]}" tests/unit/*.[ch] tests/fuzz/*.[ch] tests/lib/*.[ch] bench/*.[ch])
flags=()
for f in "${base[@]}"; do	# dependency files are the Makefile's business
	case $f in -MMD | -MP) ;; *) flags+=("$f") ;; esac
done
passed=0 failed=0

check() {
	local name=$1 out
	shift
	case " ${LINT:-$name} " in *" $name "*) ;; *) return ;; esac
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "ok - $name"
	else
		failed=$((failed + 1))
		echo "not ok - $name"
		head -n 200 <<<"$out" | sed 's/^/    /'
	fi
}

flags_of() {	# the include paths that a folder may use
	case $1 in
	policy/*) printf '%s\n' "${flags[@]}" "${nodes[@]}" ;;
	*) printf '%s\n' "${flags[@]}" "${libpq[@]}" ;;
	esac
}

none() {	# none PATTERN WHY FILE...: no line may match
	local pattern=$1 why=$2
	shift 2
	! grep -nE -- "$pattern" "$@" /dev/null || {
		echo "$why"
		return 1
	}
}

# Headers align their declarations in columns, as style(9) has them, which clang-format cannot.
format() {
	local f bad=0
	for f in "${ours[@]}"; do
		[[ $f == *.h ]] || clang-format --dry-run -Werror "$f" 2>/dev/null || {
			echo "$f: clang-format -i $f"
			bad=1
		}
	done
	return $bad
}

# A folder sees include/ and itself; policy/ is a library without the world.
layers() {
	local bad=0
	none '#[[:space:]]*include[[:space:]]*"\.\./' 'a path that leaves the folder' "${ours[@]}" || bad=1
	none '#[[:space:]]*include[[:space:]]*<(event2?/|event\.h|openssl/|libpq-fe|libpq/|sys/socket|netinet/)' 'policy/ knows no sockets' policy/*.[ch] || bad=1
	none '#[[:space:]]*include[[:space:]]*[<"](postgres\.h|nodes/|parser/|pg_query)' 'only policy/ reads nodes' proxy/*.[ch] include/*.h || bad=1
	none '\b(fprintf|printf|puts|syslog|log_(debug|info|warn|error|line))[[:space:]]*\(' 'the library does not log' policy/*.c || bad=1
	return $bad
}

text() {
	local bad=0
	none 'TODO|FIXME|\bXXX\b' 'finish it, or file it' "${ours[@]}" || bad=1
	none '[[:space:]]$' 'space at the end of a line' "${ours[@]}" || bad=1
	none '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|alloca)[[:space:]]*\(' 'has a safer form' "${code[@]}" || bad=1
	! LC_ALL=C grep -nP '[^\x00-\x7f]' "${ours[@]}" || {
		echo 'not ASCII'
		bad=1
	}
	return $bad
}

# Every header stands on its own.
headers() {
	local h bad=0 f
	for h in "${headers[@]}"; do
		mapfile -t f < <(flags_of "$h")
		gcc "${f[@]}" -Werror -fsyntax-only -x c -include "$h" /dev/null || bad=1
	done
	return $bad
}

tidy() {
	local f
	for f in "${code[@]}"; do
		printf '%s\0' "$f"
	done | xargs -0 -n 1 -P 2 "$0" --tidy-one "$1" "$2" "$3"
}

tidy_one() {
	local f out
	mapfile -t f < <(flags_of "$1")
	out=$(clang-tidy --quiet "$1" -- "${f[@]}" 2>/dev/null) || {
		echo "$out"
		return 1
	}
}

static() {
	cppcheck --quiet --error-exitcode=1 --inline-suppr --suppressions-list=tests/cppcheck.txt \
	    --enable=warning,performance,portability --std=c11 -j 2 -Iinclude -Ipolicy -Iproxy -D__GNUC__=12 \
	    --include=/usr/include/"$(gcc -print-multiarch)"/sys/queue.h policy proxy mcp
}

manual() {
	local page bad=0
	for page in proxy/*.1; do
		mandoc -T lint -W warning "$page" || bad=1
	done
	[ -e proxy/pgmoat.1 ] || bad=1
	return $bad
}

shell() {
	shellcheck -x -S warning -e SC1091,SC2034 .ci/run tests/*.sh tests/lib/*.sh tests/e2e/*.sh tests/demo/*.sh tests/corpus/run.sh tests/clients/run.sh bench/*.sh
}

whole_tree() {	# the folders that have a page in README stay the only ones
	git ls-files -co --exclude-standard 2>/dev/null | grep -vE '^(\.ci|proxy|policy|mcp|include|tests|bench|docs)/|^[A-Za-z.-]+$|^\.[a-z-]+$' && return 1
	return 0
}

if [ "${1:-}" = --tidy-one ]; then	# called back by tidy(): --tidy-one BASE NODES LIBPQ FILE
	read -ra base <<<"${2//\'/}"
	flags=()
	for f in "${base[@]}"; do
		case $f in -MMD | -MP) ;; *) flags+=("$f") ;; esac
	done
	read -ra nodes <<<"$3"
	read -ra libpq <<<"$4"
	tidy_one "$5"
	exit
fi

check format format
check layers layers
check text text
check headers headers
check manual manual
check shell shell
check cppcheck static
check clang-tidy tidy "$1" "$2" "$3"
check tree whole_tree
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
