#!/bin/bash
# pgmoat run: a command of any kind, with a guard of its own before its server.
# shellcheck disable=SC2016	# $ is for the command's shell
. "$(dirname "$0")/../lib/t.sh"

cluster_start scram
unset PGPASSWORD
export URL=postgresql://postgres:secret@127.0.0.1:$PG_PORT/postgres
PGPASSWORD=secret direct "CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 2500) i; CREATE ROLE \"o'hara\" LOGIN PASSWORD 'p@ss/w:rd'" >/dev/null

# run [option...] -- command: without $URL in the environment
run() {
	env -u URL -u PGUSER "$PGMOAT" run "$@" 2>"$T/err"
}

# --- the command reaches the server, guarded
is "a URL in the arguments" "$(run -- psql "$URL" -XAtc "SELECT 6 * 7")" 42
is "a URL in a variable" "$(DATABASE_URL=$URL run -- sh -c 'psql "$DATABASE_URL" -XAtc "SELECT 1"')" 1
is "a connection string" "$(run -- psql "host=127.0.0.1 port=$PG_PORT user=postgres password=secret dbname=postgres" -XAtc "SELECT 2")" 2
is "PG variables" "$(PGHOST=127.0.0.1 PGPORT=$PG_PORT PGPASSWORD=secret PGDATABASE=postgres "$PGMOAT" run psql -XAtc "SELECT 3")" 3
is "--upstream" "$(run --upstream "$URL" psql -XAtc "SELECT 4")" 4
is "a name and password with every odd letter" \
    "$(run -- psql "postgresql://o%27hara:p%40ss%2Fw%3Ard@127.0.0.1:$PG_PORT/postgres" -XAtc "SELECT current_user")" "o'hara"
echo "127.0.0.1:$PG_PORT:*:postgres:secret" >"$T/pgpass"
chmod 600 "$T/pgpass"
is "the password may be in a password file" \
    "$(PGPASSFILE=$T/pgpass run -- psql "postgresql://postgres@127.0.0.1:$PG_PORT/postgres" -XAtc "SELECT 5")" 5
printf '[shop]\nhost=127.0.0.1\nport=%s\nuser=postgres\npassword=secret\ndbname=postgres\n' "$PG_PORT" >"$T/services"
is "a service is looked up" "$(PGSERVICEFILE=$T/services PGSERVICE=shop run psql -XAtc "SELECT 6")" 6
is "a socket" "$(run --listen "unix:$T/.s.PGSQL.7777" -- psql "$URL" -XAtc "SELECT 7")" 7
ok "and the socket is removed" not test -e "$T/.s.PGSQL.7777"

out=$(run --audit "$T/audit" -- psql "$URL" -XAtc "DELETE FROM orders" 2>&1)
is "what the policy refuses is refused" "$?" 1
like "and written down" "$(cat "$T/audit")" '"verdict":"block".*DELETE FROM orders'
is "and did not happen" "$(PGPASSWORD=secret direct "SELECT count(*) FROM orders")" 2500
is "the row limit holds" "$(run -- psql "$URL" -XAtc "SELECT * FROM orders" | wc -l)" 1000
cat >"$T/policy" <<'JSON'
{ "version": 1, "default_profile": "a",
  "profiles": { "a": { "access_mode": "read_write", "statements": { "allow": ["delete"] }, "writes": { "mode": "allow" } } } }
JSON
is "another policy" "$(run --policy "$T/policy" -- psql "$URL" -XAtc "DELETE FROM orders WHERE id = 1")" "DELETE 1"

cat >"$T/assigned" <<'JSON'
{ "version": 1, "default_profile": "none",
  "profiles": { "none": { "access_mode": "read_only" },
    "a": { "access_mode": "read_write", "statements": { "allow": ["delete"] }, "writes": { "mode": "allow" } } },
  "assign": [ { "user": "boss", "profile": "a" } ] }
JSON
like "the command cannot choose a profile by the name it gives" \
    "$(run --policy "$T/assigned" -- sh -c 'psql "${1%%:*}://boss:${1#*://*:}" -XAtc "DELETE FROM orders WHERE id = 2" 2>&1' x "$URL")" "refused"

# --- what the command can know
is "the password is nowhere in its environment" \
    "$(PGPASSWORD=secret DATABASE_URL=$URL DB_PASSWORD=secret run sh -c 'env | grep -c secret')" 0
is "nor in its arguments" "$(run sh -c 'echo "$@"' x "$URL" --password secret | grep -c secret)" 0
like "the token is 64 hexadecimal digits" "$(run sh -c 'echo "$1"' x "$URL")" "^postgresql://postgres:[0-9a-f]{64}@127.0.0.1:[0-9]+/postgres\?sslmode=disable$"
is "pgmoat's own arguments are wiped" "$(run --upstream "$URL" sh -c 'tr "\0" " " <"/proc/$PPID/cmdline"' | grep -c secret)" 0
is "pgmoat's own environment is wiped" "$(PGPASSWORD=secret DATABASE_URL=$URL run sh -c 'cat "/proc/$PPID/environ" 2>/dev/null' | grep -ac secret)" 0
is "another token is refused" "$(run -- sh -c 'PGPASSWORD=0000 psql -XAtc "SELECT 1" 2>&1 | grep -c FATAL' x "$URL")" 1
NOTES="it is p@ss/w:rd" run -- true "postgresql://o%27hara:p%40ss%2Fw%3Ard@127.0.0.1:$PG_PORT/postgres"
like "what still holds the password is named" "$(cat "$T/err")" "warning.*: NOTES$"

# --- streams, status, signals
is "standard output is the command's alone" "$(run --upstream "$URL" printf 'a\0b' | od -c | head -n 1)" "0000000   a  \\0   b"
is "nothing is said when all is well" "$(run --upstream "$URL" true; cat "$T/err")" ""
is "standard input reaches the command" "$(echo hello | run --upstream "$URL" cat)" hello
is "standard output closes when the command closes it" "$(run --upstream "$URL" sh -c 'echo done; exec >&- <&-; sleep 0.1' | cat)" "done"
run --upstream "$URL" sh -c 'exit 7'
is "the exit status is the command's" $? 7
run --upstream "$URL" sh -c 'kill -KILL $$'
is "a signal's death is 128 and its number" $? 137
run --upstream "$URL" /nowhere/command
is "a command that is not there is 127" $? 127
like "and named" "$(cat "$T/err")" '^pgmoat run: /nowhere/command: No such file'
run --upstream "$URL" /etc/passwd
is "one that cannot be executed is 126" $? 126

# A background command of a shell without job control ignores SIGINT and SIGQUIT; Python does not mind.
signalled() {
	env -u PGUSER /usr/bin/python3 - "$1" "$PGMOAT" run --upstream "$URL" sh -c 'trap "echo got; exit 3" '"$1"'; echo ready; while :; do sleep 0.05; done' <<-'PY'
	import signal, subprocess, sys
	def plain():
	    for s in (signal.SIGINT, signal.SIGQUIT):
	        signal.signal(s, signal.SIG_DFL)
	p = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, text=True, preexec_fn=plain)
	assert p.stdout.readline() == "ready\n"
	p.send_signal(getattr(signal, "SIG" + sys.argv[1]))
	print(p.stdout.readline().strip(), p.wait())
	PY
}
for s in TERM INT HUP QUIT USR1 USR2; do
	is "SIG$s is passed on" "$(signalled $s)" "got 3"
done
env -u PGUSER "$PGMOAT" run --upstream "$URL" sh -c 'echo $$ >"$1"; exec sleep 300' x "$T/pid" &
moat=$!
disown $moat
until_ 20 test -s "$T/pid"
kill -KILL $moat
ok "the command ends when pgmoat is killed" until_ 10 not alive "$(cat "$T/pid")"

# --- what is refused
run -- true
is "nothing to guard is an error" $? 2
like "that says what was looked for" "$(cat "$T/err")" "found no Postgres URL"
OTHER=postgresql://127.0.0.2/other run -- true "$URL"
is "two servers are an error" $? 2
like "that names both" "$(cat "$T/err")" "OTHER: 127.0.0.2/other \(host differs\)"
unlike "and no password" "$(cat "$T/err")" "secret"
run --policy /nowhere --upstream "$URL" touch "$T/started"
is "a policy that does not load is an error" $? 2
nok "and the command was not started" test -e "$T/started"
run --listen 0.0.0.0:0 --upstream "$URL" true
is "an address that others can reach is an error" $? 2
run --upstream "$URL"
is "no command is an error" $? 2

done_testing
