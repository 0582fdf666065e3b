#!/usr/bin/env bash
# Follows the README as a stranger does: takes its own blocks of code, in order, into an empty folder, and looks at what they
# say. As root and as an ordinary user at the same time, each beside the other's server; as whoever runs it, when that is not
# root. Afterwards nothing may be left running, and root starts once more without a network.
#
#   test/stranger/run.sh                  the last commit of this checkout
#   test/stranger/run.sh --working-tree   with what is not committed yet
set -euo pipefail
cd "$(dirname "$0")/../.."
CHECKOUT=$PWD
PUBLIC_URL=https://github.com/quiesce/quiesce.git
START_SECONDS=240
WINDOW_SECONDS=100
# The server takes less than five; a busy machine takes its time to show it.
STOP_SECONDS=20

work=$(mktemp -d /tmp/quiesce-stranger-XXXXXX)
# PostgreSQL's own account must be able to enter when this runs as root.
chmod 755 "$work"
npm_cache=$(npm config get cache 2>/dev/null)

# --- the repository, as if it came from the network

git clone --quiet --bare "$CHECKOUT" "$work/origin.git"
if [ "${1:-}" = --working-tree ]; then
  bare() { GIT_INDEX_FILE="$work/index" git -c core.bare=false --git-dir="$work/origin.git" --work-tree="$CHECKOUT" "$@"; }
  bare add --all
  bare diff --cached --quiet HEAD || bare -c user.name=stranger -c user.email=stranger@localhost commit --quiet --message "the working tree"
fi

# --- one stranger: everything below runs in a process of its own with WHO set

# A block of the README by the name in the comment above it.
block() {
  awk -v mark="<!-- stranger: $1 -->" '$0 == mark { found = 1; next } found && /^```sh$/ { inside = 1; next } inside && /^```$/ { exit } inside { print }' "$2"
}

fail() {
  printf '[%s] FAILED: %s\n' "$WHO" "$1" >&2
  shift
  for file in "$@"; do printf '[%s] --- %s\n' "$WHO" "$file"; tail -n 60 "$file"; done >&2
  exit 1
}

# What the block says must hold every further argument, as it stands.
step() {
  local name=$1 out="$home/$1.txt" code
  shift
  code=$(block "$name" "$readme")
  [ -n "$code" ] || fail "the README has no block \"$name\""
  # Where the usual ports are taken the stranger would choose others, too.
  code=${code//127.0.0.1:4100/127.0.0.1:$ERP_PORT}
  code=${code//127.0.0.1:4101/127.0.0.1:$ERP_CONTROL_PORT}
  code=${code//127.0.0.1:4000/127.0.0.1:$PORT}
  (cd "$folder" && bash -euo pipefail -c "$code") >"$out" 2>&1 </dev/null || fail "the block \"$name\" ended with an error" "$out" "$log"
  for text in "$@"; do grep -qF -- "$text" "$out" || fail "the block \"$name\" does not say: $text" "$out" "$log"; done
  printf '[%s] %s\n' "$WHO" "$name: as promised"
}

# Does not say this.
unsaid() { ! grep -qF -- "$2" "$home/$1.txt" || fail "the block \"$1\" says: $2" "$home/$1.txt"; }

wait_for() {
  local text=$1 seconds=$2 until=$((SECONDS + $2))
  until grep -qF -- "$text" "$log"; do
    kill -0 "$server" 2>/dev/null || fail "npm start has ended" "$log"
    [ "$SECONDS" -lt "$until" ] || fail "npm start did not say within $seconds s: $text" "$log"
    sleep 0.3
  done
}

start() {
  log="$home/$1.txt"
  local code
  code=$(block start "$readme")
  # A session of its own, as a terminal gives it; Ctrl-C reaches the whole of it.
  (cd "$folder" && exec setsid bash -c "exec $code") >"$log" 2>&1 </dev/null &
  server=$!
  wait_for "Stop:      Ctrl-C" "$START_SECONDS"
}

# Processes of this stranger's folder, one a line.
left() {
  local pid
  for pid in /proc/[0-9]*; do
    if tr '\0' ' ' 2>/dev/null <"$pid/cmdline" | grep -qF -- "$folder/" || [[ "$(readlink "$pid/cwd" 2>/dev/null)" == "$folder"* ]]; then
      printf '%s %s\n' "${pid#/proc/}" "$(tr '\0' ' ' 2>/dev/null <"$pid/cmdline" | cut -c1-120)"
    fi
  done
}

stop() {
  local until=$((SECONDS + STOP_SECONDS))
  kill -INT -- "-$server"
  while [ -n "$(left)" ]; do
    [ "$SECONDS" -lt "$until" ] || fail "still running $STOP_SECONDS s after Ctrl-C: $(left)" "$log"
    sleep 0.2
  done
  wait "$server" || true
  grep -q "^Stopped" "$log" || fail "npm start did not say that it stopped" "$log"
}

stranger() {
  home="$work/$WHO"
  folder="$home/quiesce"
  readme="$home/README.md"
  export HOME="$home" PORT=$1 ERP_PORT=$2 ERP_CONTROL_PORT=$3 QUIESCE_URL="http://127.0.0.1:$1"
  export npm_config_cache="$home/.npm" npm_config_prefer_offline=true TERM=dumb
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.$home/origin.git.insteadOf" GIT_CONFIG_VALUE_0=$PUBLIC_URL
  trap 'for one in $(left | cut -d" " -f1); do kill -KILL "$one" 2>/dev/null; done' EXIT

  git --git-dir="$home/origin.git" show HEAD:README.md >"$readme"
  (cd "$home" && bash -euo pipefail -c "$(block clone "$readme")") >"$home/clone.txt" 2>&1 || fail "the block \"clone\" ended with an error" "$home/clone.txt"
  [ -f "$folder/package.json" ] || fail "the block \"clone\" left no checkout"
  printf '[%s] %s\n' "$WHO" "clone: as promised"

  start start
  grep -q "first admin token" "$log" || fail "no token was shown" "$log"
  printf '[%s] %s\n' "$WHO" "start: serves after $SECONDS s"

  step runs "NEXT  ERP patch" "Covers 3 integrations" erp-orders erp-products erp-journal
  sed -n '/^Covers/,/^$/p' "$home/runs.txt" | grep -q shop-archive && fail "the window covers the archive" "$home/runs.txt"

  wait_for "really taken down" "$WINDOW_SECONDS"
  step held "The ERP is down." "ERP patch" QUIESCED "monthly patch of the ERP" 'is held by "ERP patch"' "Held: whoever asks"
  step unfailed "No runs." "held by ERP patch"
  unsaid unfailed FAILED

  wait_for "See how the counts add up" "$WINDOW_SECONDS"
  grep -q "started inside 0, failed 0" "$log" || fail "runs started inside, or failed" "$log"
  step resumed "ERP patch  closed" "adds up:" "failed 0, started inside 0" erp-journal-sync SUCCEEDED
  unsaid resumed "does not add up"
  check_sum "$home/resumed.txt"

  step yours Paused "HELD NOW" "trying it out" Resumed

  grep -q "1 of its alerts kept quiet by the window, incidents raised 0" "$log" || fail "the window did not keep the monitor quiet" "$log"
  step outage '"state":"down"'
  wait_for "the probable cause lies at erp" "$WINDOW_SECONDS"
  step incident "erp" "alert fired" acknowledged '"state":"up"'
  wait_for "1 is resolved" "$WINDOW_SECONDS"
  stop
  printf '[%s] %s\n' "$WHO" "stop: nothing is left after Ctrl-C"
  if [ "$WHO" = root ]; then start_offline; fi
}

# "adds up: 5 + 20 + 12 = 37, 37 due": the addition is right, and it is about something.
check_sum() {
  local line
  line=$(sed -n 's/^adds up: \([0-9 +]*\) = \([0-9]*\), \([0-9]*\) due$/\1 \2 \3/p' "$1" | tr -d +)
  awk -v line="$line" 'BEGIN { n = split(line, at, / +/); for (i = 1; i < n - 1; i++) sum += at[i]; exit !(n > 2 && sum == at[n] && at[n - 1] == at[n] && sum > 10) }' ||
    fail "the report's sum is wrong" "$1"
}

# A namespace without any network but its own loopback.
start_offline() {
  unshare --net true 2>/dev/null || { printf '[%s] %s\n' "$WHO" "offline: left out, this system has no network namespaces"; return; }
  log="$home/offline.txt"
  (cd "$folder" && exec setsid unshare --net bash -c "ip link set lo up && exec npm start") >"$log" 2>&1 </dev/null &
  server=$!
  wait_for "Stop:      Ctrl-C" 60
  grep -q "Installing" "$log" && fail "the second start installed again" "$log"
  grep -q "Its story is told here" "$log" || fail "the second start has no example" "$log"
  stop
  printf '[%s] %s\n' "$WHO" "offline: starts again without a network"
}

# --- who follows the README, and on which ports

free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# The usual ports where they are free, others where not.
ports=()
for triple in "4000 4100 4101" "4700 4710 4711" "4720 4730 4731" "4740 4750 4751"; do
  read -r a b c <<<"$triple"
  if free "$a" && free "$b" && free "$c"; then ports+=("$triple"); fi
done

# One stranger in a clean environment: what the machine needs for its network, and nothing else.
launch() {
  local who=$1 ports=$2 as=("${@:3}") kept=()
  mkdir -p "$work/$who"
  if [ -d "$npm_cache/_cacache" ]; then mkdir "$work/$who/.npm" && cp -a --reflink=auto "$npm_cache/_cacache" "$work/$who/.npm/"; fi
  # git reads no repository that belongs to somebody else.
  cp -a "$work/origin.git" "$work/$who/origin.git"
  [ ${#as[@]} -eq 0 ] || chown -R 65534:65534 "$work/$who"
  while IFS= read -r -d '' pair; do
    [[ "$pair" =~ ^(PATH|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|GIT_SSL_CAINFO|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|npm_config_registry)= ]] && kept+=("$pair")
  done < <(env -0)
  # shellcheck disable=SC2086
  timeout --kill-after=10 900 "${as[@]}" env -i "${kept[@]}" WHO="$who" work="$work" LANG=C.UTF-8 bash -c "$(functions)"'; stranger "$@"' stranger $ports
}

functions() {
  printf 'set -euo pipefail\n'
  declare -p PUBLIC_URL START_SECONDS WINDOW_SECONDS STOP_SECONDS
  declare -f block fail step unsaid wait_for start left stop stranger check_sum start_offline
}

status=0
if [ "$(id -u)" -eq 0 ]; then
  [ ${#ports[@]} -ge 2 ] || { echo "No free ports for two servers." >&2; exit 1; }
  launch root "${ports[0]}" &
  first=$!
  launch user "${ports[1]}" setpriv --reuid=65534 --regid=65534 --clear-groups &
  second=$!
  wait "$first" || status=1
  wait "$second" || status=1
else
  launch "$(id -un)" "${ports[0]}" || status=1
fi

if [ "$status" -eq 0 ]; then
  rm -rf "$work"
  printf 'The README keeps its word (%s s).\n' "$SECONDS"
else
  printf 'What was said lies in %s.\n' "$work" >&2
fi
exit "$status"
