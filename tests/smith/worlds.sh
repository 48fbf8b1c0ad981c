# shellcheck shell=bash
# worlds.sh - source it after t.sh: the corpus fixture three times, with marks in what policy.json hides.
#
#	worlds_start		# sets WORLDS, "PORT PORT PORT", and $T/catalog.json, their common catalog
#	world_fixture		# only the first of them: sets world_port
#
# The first and the third are alike, the second differs from them in what is
# hidden and in nothing else (world.sql). They are copies of one cluster, so that even their OIDs are the same.

world() {	# world PORT FILE|SQL [option...]: as superuser in database shop
	local port=$1
	shift
	PGPASSWORD=pg-super-pw psql -Xqv ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -d shop "$@"
}

world_start() {	# world_start NAME DIR VARIANT: sets world_port
	local name=$1 dir=$2 variant=$3 try
	for try in 1 2 3; do
		world_port=$(free_port)
		(cd / && as_postgres pg_ctl -D "$dir/data" -l "$dir/log" -o "-p $world_port -k $dir -c shared_buffers=32MB" -w -t 60 start >/dev/null) && break
		[ "$try" != 3 ] || {
			cat "$dir/log"
			die "world $name does not start"
		}
	done
	clusters+=("$dir/data")
	world "$world_port" -c "ALTER SERVER loop OPTIONS (SET port '$world_port'); ALTER SERVER dbl OPTIONS (SET port '$world_port')" &&
	    world "$world_port" -f "$ROOT/tests/smith/world.sql" -v v="$variant" >"$T/$name.sql.log" 2>&1 || {
		cat "$T/$name.sql.log"
		die "world $name cannot be made"
	}
}

world_make() {	# world_make DIR: a cluster with the fixture, stopped
	PGBIN=$PGBIN "$ROOT/tests/corpus/start_cluster.sh" "$1" "$(free_port)" >"$T/fixture" 2>&1 || {
		cat "$T/fixture"
		die "the fixture cannot be made"
	}
	cluster_stop "$1/data" fast
}

world_fixture() {
	world_make "$T/w1"
	world_start w1 "$T/w1" a
}

worlds_start() {
	local one=$T/w1 name
	world_make "$one"
	for name in w2 w3; do
		mkdir "$T/$name"
		cp -a "$one/data" "$one/files" "$T/$name/"
		[ "$(id -u)" != 0 ] || chown postgres: "$T/$name"
	done
	WORLDS=
	for name in w1:a w2:b w3:a; do
		world_start "${name%:*}" "$T/${name%:*}" "${name#*:}"
		WORLDS="$WORLDS $world_port"
	done
	# shellcheck disable=SC2086
	set -- $WORLDS
	"$PGMOAT" catalog dump "postgresql://postgres:pg-super-pw@127.0.0.1:$1/shop" -o "$T/catalog.json" || die "the catalog cannot be dumped"
}
