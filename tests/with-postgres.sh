#!/usr/bin/env bash
# Runs a command with a PostgreSQL of its own in a temporary folder: with-postgres.sh CMD ..
# The cluster is ICU with a collation that is not C, so that a missing COLLATE "C" shows.
set -euo pipefail
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb || echo /missing/initdb)")
if [ ! -x "$bin/initdb" ]; then
  echo "PostgreSQL is missing. On Debian: apt-get install postgresql (tests/setup.sh does it for root)" >&2
  exit 1
fi
folder=$(mktemp -d "${TMPDIR:-/tmp}/lucid-postgres.XXXXXX")
as=()
if [ "$(id -u)" = 0 ]; then
  # PostgreSQL does not run as root.
  chown postgres "$folder"
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups env HOME="$folder")
fi
port=$((20000 + RANDOM % 10000))
stop() {
  "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap stop EXIT
cd_back=$PWD
cd "$folder"
"${as[@]}" "$bin/initdb" -D "$folder/data" -U lucid -A trust --locale-provider=icu --icu-locale=en-US --encoding=UTF8 >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
rm -f "$folder.log"
# Durability is not what the tests are about; a crash test turns it on for its own cluster.
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" start \
  -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder -c fsync=off -c max_connections=300" >/dev/null || { cat "$folder/log" >&2; exit 1; }
cd "$cd_back"
export LUCID_TEST_POSTGRES="postgres://lucid@127.0.0.1:$port/postgres"
"$@"
