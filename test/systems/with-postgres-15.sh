#!/usr/bin/env bash
# Runs a command on a throw-away cluster of Debian's PostgreSQL 15, the oldest that Quiesce supports: TEST_DATABASE_URL names it.
# The cluster has a folder, a port and a superuser of its own, listens on loopback only, trusts whoever comes, and is removed with
# the command's end. Needs root, because PostgreSQL does not run as root and the account postgres must own the folder.
#
#   test/systems/with-postgres-15.sh npx vitest run --project server
set -euo pipefail

bin=/usr/lib/postgresql/15/bin
if [ ! -x "$bin/initdb" ]; then
  echo "Debian's postgresql-15 is missing. Install it: test/systems/install-debian.sh" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "This needs root, to run PostgreSQL as the user postgres." >&2
  exit 1
fi

# In memory where there is plenty: each test file copies a database of hundreds of files.
root=/tmp
free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1 || true)
memory=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
if [ "${free:-0}" -ge 4194304 ] && [ "${memory:-0}" -ge 8388608 ]; then root=/dev/shm; fi
folder=$(mktemp -d "$root/quiesce-postgres-15-XXXXXX")
chown postgres: "$folder"
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups env -C "$folder" "$@"; }
remove() {
  [ ! -f "$folder/data/postmaster.pid" ] || as_postgres "$bin/pg_ctl" --pgdata="$folder/data" --mode=immediate --wait stop >/dev/null || true
  rm -rf "$folder"
}
trap remove EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

as_postgres "$bin/initdb" --pgdata="$folder/data" --username=quiesce --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1 ||
  { cat "$folder/initdb.log" >&2; exit 1; }
# A port that was free a moment ago may be taken now: then the next one.
for _ in 1 2 3 4 5; do
  port=$(node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
  options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories= -c max_connections=200 -c timezone=UTC"
  options+=" -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
  # Without this shell's descriptors: the server must not hold open a pipe that somebody reads to its end.
  if as_postgres "$bin/pg_ctl" --pgdata="$folder/data" --log="$folder/server.log" --wait --options="$options" start >/dev/null 2>&1; then
    export TEST_DATABASE_URL="postgres://quiesce@127.0.0.1:$port/postgres"
    printf '%s at %s\n' "$("$bin/postgres" --version)" "$TEST_DATABASE_URL"
    status=0
    "$@" || status=$?
    exit "$status"
  fi
done
cat "$folder/server.log" >&2
exit 1
