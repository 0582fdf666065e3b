#!/usr/bin/env bash
# npm test as a stranger runs it: in a fresh clone, as root and as an ordinary user at the same time, twice each, the second
# time without a network. When somebody else than root runs this it is that user alone.
#
# What the first run of anybody must do (install, build) is done in full. Of the suites themselves only "unit" and, for the
# embedded database, one file of "server" are run: all of them four times would take as long as everything else in CI
# together, and they run in full, as root, in .ci/run's first part.
#
#   test/stranger/npm-test.sh                  the last commit of this checkout
#   test/stranger/npm-test.sh --working-tree   with what is not committed yet
set -euo pipefail
cd "$(dirname "$0")/../.."
CHECKOUT=$PWD
LIMIT_SECONDS=900

work=$(mktemp -d /tmp/quiesce-npm-test-XXXXXX)
# The ordinary user, and PostgreSQL's own account when this runs as root, must be able to enter.
chmod 755 "$work"
npm_cache=$(npm config get cache 2>/dev/null)

git clone --quiet --bare "$CHECKOUT" "$work/origin.git"
if [ "${1:-}" = --working-tree ]; then
  bare() { GIT_INDEX_FILE="$work/index" git -c core.bare=false --git-dir="$work/origin.git" --work-tree="$CHECKOUT" "$@"; }
  bare add --all
  bare diff --cached --quiet HEAD || bare -c user.name=stranger -c user.email=stranger@localhost commit --quiet --message "the working tree"
fi

TESTS='npm test -- --project unit && npm test -- --project server packages/server/src/db/migrate.test.ts'

# What the machine needs for its network, and nothing else of whoever runs this.
kept=()
while IFS= read -r -d '' pair; do
  [[ "$pair" =~ ^(PATH|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|npm_config_registry)= ]] && kept+=("$pair")
done < <(env -0)

# clone <who> [as ...]: a home with a fresh clone, which belongs to whoever it is for.
clone() {
  local who=$1 as=("${@:2}")
  mkdir "$work/$who"
  if [ -d "$npm_cache/_cacache" ]; then mkdir "$work/$who/.npm" && cp -a --reflink=auto "$npm_cache/_cacache" "$work/$who/.npm/"; fi
  git clone --quiet "$work/origin.git" "$work/$who/quiesce"
  [ ${#as[@]} -eq 0 ] || chown -R 65534:65534 "$work/$who"
}

# run <who> <which> [prefix ...]: the tests in that clone, by a prefix that changes the user or takes the network away.
run() {
  local who=$1 which=$2 prefix=("${@:3}") started=$SECONDS out
  out="$work/$1-$2.txt"
  if ! timeout --kill-after=10 "$LIMIT_SECONDS" "${prefix[@]}" env -i -C "$work/$who/quiesce" "${kept[@]}" HOME="$work/$who" TERM=dumb LANG=C.UTF-8 \
    npm_config_cache="$work/$who/.npm" npm_config_prefer_offline=true bash -c "$TESTS" >"$out" 2>&1 </dev/null; then
    printf '[%s] FAILED: the %s npm test\n' "$who" "$which" >&2
    tail -n 60 "$out" >&2
    return 1
  fi
  [ "$(grep -c 'Test Files .*passed' "$out")" -eq 2 ] || { printf '[%s] FAILED: the %s npm test ran nothing\n' "$who" "$which" >&2; tail -n 60 "$out" >&2; return 1; }
  [ "$which" = first ] || ! grep -q "^Installing" "$out" || { printf '[%s] FAILED: the %s npm test installed again\n' "$who" "$which" >&2; return 1; }
  printf '[%s] the %s npm test: passed in %d s\n' "$who" "$which" "$((SECONDS - started))"
}

# The loopback of the new namespace is what the embedded database listens on; the user changes last.
OFFLINE=(unshare --net bash -c 'ip link set lo up && ! ip route get 192.0.2.1 >/dev/null 2>&1 && exec "$@"' offline)
ORDINARY=(setpriv --reuid=65534 --regid=65534 --clear-groups)

both() {
  local status=0 first second
  "$1" & first=$!
  "$2" & second=$!
  wait "$first" || status=1
  wait "$second" || status=1
  return "$status"
}

status=0
if [ "$(id -u)" -eq 0 ]; then
  as_root() { clone root && run root first && run root second-and-offline "${OFFLINE[@]}"; }
  as_user() { clone user "${ORDINARY[@]}" && run user first "${ORDINARY[@]}" && run user second-and-offline "${OFFLINE[@]}" "${ORDINARY[@]}"; }
  unshare --net true 2>/dev/null || { echo "Offline: left out, this system has no network namespaces."; OFFLINE=(); }
  both as_root as_user || status=1
else
  echo "Offline and as root: left out, only root can take the network away."
  { clone "$(id -un)" && run "$(id -un)" first && run "$(id -un)" second; } || status=1
fi

if [ "$status" -eq 0 ]; then
  rm -rf "$work"
  printf 'npm test passes for whoever clones this (%s s).\n' "$SECONDS"
else
  printf 'What was said lies in %s.\n' "$work" >&2
fi
exit "$status"
