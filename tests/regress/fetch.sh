#!/bin/bash
# fetch.sh DIR: PostgreSQL's own regression suite, out of Debian's source package, into DIR/src/test/regress.
#
# Nothing of it is kept in this repository. Uses lists of its own, so that the
# machine's apt configuration stays as it is. Does nothing when it is there.
set -euo pipefail
dir=$1
major=${2:-15}
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")

[ ! -f "$dir/src/test/regress/parallel_schedule" ] || exit 0
mkdir -p "$dir/lists/partial"
cd "$dir"
echo "deb-src http://deb.debian.org/debian $release main" >sources.list
options=(-qq -o "Dir::Etc::sourcelist=$PWD/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$PWD/lists" -o APT::Get::List-Cleanup=0 -o APT::Sandbox::User=root)
apt-get "${options[@]}" update
apt-get "${options[@]}" source --download-only "postgresql-$major"
tar xf postgresql-"$major"_*.orig.tar.* --strip-components=1 --wildcards '*/src/test/regress/*'
rm -rf lists
