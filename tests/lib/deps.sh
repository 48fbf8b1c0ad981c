#!/bin/bash
# deps.sh build|test|ci|bench: installs what is missing from Debian. Costs one dpkg-query when nothing is.
#
# build: what `make` needs. test: also what `make demo` and `make test` need.
# ci: also lint and fuzzers. bench: the other proxies of `make bench`. Root
# installs, others through sudo; without it the line to run is printed and the
# status is 1.
set -euo pipefail

level=${1:-test}

if ! command -v dpkg-query >/dev/null; then
	echo "deps: this is not Debian; needed are the packages that tests/lib/deps.sh names" >&2
	exit 0
fi

# The server that is there, else the release's own.
newest_server() {
	local dir
	for dir in /usr/lib/postgresql/*/bin; do
		if [ -x "$dir/initdb" ]; then
			basename "$(dirname "$dir")"
		fi
	done | sort -n | tail -n 1
}
pg=$(newest_server)
if [ -z "$pg" ]; then
	case $(. /etc/os-release; echo "${VERSION_CODENAME:-}") in
	bookworm) pg=15 ;;
	trixie) pg=17 ;;
	*) pg=$(apt-cache search --names-only '^postgresql-[0-9]+$' | sed 's/postgresql-\([0-9]*\).*/\1/' | sort -n | tail -n 1) ;;
	esac
fi

want=(gcc libc6-dev make pkg-config libpg-query-dev libevent-dev libssl-dev libpq-dev libcjson-dev)
# Debian 12 has the node headers in the server's package, later ones in libpg-query-dev.
[ -d /usr/include/pg_query/postgres ] || [ "$pg" != 15 ] || want+=(postgresql-server-dev-15)

if [ "$level" != build ]; then
	want+=(libcmocka-dev libprotobuf-c-dev "postgresql-$pg" "postgresql-plpython3-$pg" postgresql-contrib postgresql-client
	    python3 openssl procps)
	# A node from elsewhere brings its own npm, and Debian's would not go beside it.
	command -v node >/dev/null || want+=(nodejs)
	command -v npm >/dev/null || want+=(npm)
fi
if [ "$level" = ci ]; then
	if command -v clang >/dev/null; then
		clang=$(clang -dumpversion)
	else
		clang=$(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
	fi
	want+=(clang clang-format clang-tidy cppcheck shellcheck mandoc "libclang-rt-${clang%%.*}-dev" python3-psycopg2 python3-asyncpg python3-jsonschema sqlsmith)
fi
[ "$level" != bench ] || want+=(haproxy pgbouncer)

have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${want[@]}" 2>/dev/null | sed -n 's/^installed //p') || true
missing=()
for p in "${want[@]}"; do
	grep -qxF "$p" <<<"$have" || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" = 0 ]; then
	sudo=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	sudo=(sudo)
elif command -v sudo >/dev/null && [ -t 0 ]; then
	sudo=(sudo)
else
	echo "deps: as root, run:  apt-get update && $install" >&2
	exit 1
fi

# We need PostgreSQL's programs, not a cluster of the system's: tests make their own.
if [ ! -e /usr/share/postgresql-common ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
	"${sudo[@]}" mkdir -p /etc/postgresql-common
	echo "create_main_cluster = false" | "${sudo[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
echo "deps: installing ${missing[*]}"
apt-cache show "${missing[0]}" >/dev/null 2>&1 || "${sudo[@]}" apt-get update -qq
if ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive bash -c "$install -qq -o Dpkg::Options::=--force-confold </dev/null >/dev/null"; then
	"${sudo[@]}" apt-get update -qq
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive bash -c "$install -qq -o Dpkg::Options::=--force-confold </dev/null"
fi
