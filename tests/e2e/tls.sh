#!/bin/bash
# TLS to clients and to the server, with each way of authentication that they allow.
. "$(dirname "$0")/../lib/t.sh"

certificate() {	# certificate NAME SUBJECT [option of openssl...]
	openssl req -new -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$2" -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" \
	    -keyout "$T/$1.key" -out "$T/$1.crt" 2>/dev/null
	chmod 600 "$T/$1.key"
}
certificate moat localhost
certificate pg localhost
cp "$T/pg.key" "$T/pg-server.key"
cp "$T/pg.crt" "$T/pg-server.crt"
[ "$(id -u)" != 0 ] || chown postgres: "$T/pg-server.key" "$T/pg-server.crt"

try() {		# try SSLMODE SQL [parameter...]
	psql -XqAt "host=127.0.0.1 port=$MOAT_PORT dbname=postgres sslmode=$1 ${*:3}" -c "$2" 2>&1
}

# --- a server without TLS
cluster_start scram
moat_start --tls-cert "$T/moat.crt" --tls-key "$T/moat.key"
is "TLS client, plain server: SCRAM passes through" "$(try require "SELECT 1")" 1
is "plain client, plain server" "$(try disable "SELECT 2")" 2
is "the certificate is the one that we gave" "$(try verify-full "SELECT 3" "sslrootcert=$T/moat.crt" host=localhost hostaddr=127.0.0.1)" 3
like "another certificate would be noticed" "$(try verify-full "SELECT 3" "sslrootcert=$T/pg.crt" host=localhost hostaddr=127.0.0.1)" 'certificate verify failed'
like "a wrong password is the server's refusal" "$(PGPASSWORD=wrong try require "SELECT 1")" 'password authentication failed'
moat_stop TERM
moat_start --tls-cert "$T/moat.crt" --tls-key "$T/moat.key" --tls-mode require
like "with tls-mode require a plain client is refused" "$(try disable "SELECT 1")" 'TLS|SSL|encrypt'
is "and a TLS client is served" "$(try require "SELECT 4")" 4
moat_stop TERM

# --- a server with TLS
cluster_start scram pgtls "ssl = on" "ssl_cert_file = '$T/pg-server.crt'" "ssl_key_file = '$T/pg-server.key'"
upstream="postgresql://localhost:$PG_PORT?sslmode=verify-full&sslrootcert=$T/pg.crt"
serve() {
	AUDIT=$T/tls.jsonl
	n=$((${n:-0} + 1))
	moat_launch "tls$n" "$PGMOAT" serve --listen 127.0.0.1:0 --audit "$AUDIT" "$@"
}
serve --upstream "$upstream"
is "plain client, TLS server: SCRAM passes through" "$(try disable "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")" t
moat_stop TERM

serve --upstream "$upstream" --tls-cert "$T/moat.crt" --tls-key "$T/moat.key" --auth password
is "TLS on both sides: the password is asked for inside TLS" "$(try require "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")" t
like "a wrong one is refused" "$(PGPASSWORD=wrong try require "SELECT 1")" 'password authentication failed'
is "policies hold there, too" "$(try require "DROP TABLE x" | grep -c '^ERROR')" 1
moat_stop TERM

serve --upstream "postgresql://localhost:$PG_PORT?sslmode=verify-full&sslrootcert=$T/moat.crt"
like "a server with another certificate is not trusted" "$(try disable "SELECT 1")" 'certificate|TLS|SSL'
moat_stop TERM

# --- both sides TLS and SCRAM relayed: what cannot work says what to change
serve --upstream "$upstream" --tls-cert "$T/moat.crt" --tls-key "$T/moat.key"
like "TLS on both sides cannot relay libpq's SCRAM, and the error names the setting" "$(try require "SELECT 1")" 'auth password'
moat_stop TERM

# --- every sslmode towards the server, by what pg_hba.conf has a line for
mode_row() {	# mode_row LINE MODE EXPECTED: t, f (was it TLS) or - (refused)
	local found
	serve --upstream "postgresql://localhost:$PG_PORT?sslmode=$2&sslrootcert=$T/pg.crt"
	found=$(try disable "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
	moat_stop TERM
	case $3 in
	-) like "sslmode=$2, pg_hba.conf has $1 lines: refused" "$found" 'no pg_hba.conf entry|no encryption' ;;
	*) is "sslmode=$2, pg_hba.conf has $1 lines: TLS is $3" "$found" "$3" ;;
	esac
}
while read -r line disable allow prefer require verify_ca verify_full; do
	echo "$line all all 127.0.0.1/32 scram-sha-256" >"$PG_DATA/pg_hba.conf"
	(cd / && as_postgres pg_ctl -D "$PG_DATA" reload >/dev/null)
	until_ 10 psql -XqAtc "SELECT 1 FROM pg_hba_file_rules WHERE type = '$line' LIMIT 1" "host=127.0.0.1 port=$PG_PORT dbname=postgres sslmode=prefer" >/dev/null 2>&1
	mode_row "$line" disable "$disable"
	mode_row "$line" allow "$allow"
	mode_row "$line" prefer "$prefer"
	mode_row "$line" require "$require"
	mode_row "$line" verify-ca "$verify_ca"
	mode_row "$line" verify-full "$verify_full"
done <<'ROWS'
host		f	f	t	t	t	t
hostssl		-	t	t	t	t	t
hostnossl	f	f	f	-	-	-
ROWS

# --- older ways to log in
for auth in md5 password trust; do
	cluster_start $auth "pg$auth"
	[ $auth = trust ] || export PGPASSWORD=secret
	moat_start
	is "$auth passes through" "$(q "SELECT 5")" 5
	[ $auth = trust ] || like "$auth with a wrong password is refused" "$(PGPASSWORD=wrong q "SELECT 1")" 'password authentication failed'
	moat_stop TERM
done
done_testing
