#!/usr/bin/env bash
# Runs Debian's cron on one crontab, in a mount namespace where the machine's own crontabs are not to be seen. Its minutes last 1.5 seconds.
# Usage: cron-in-namespace.sh FOLDER CRONTAB (as root; the crontab is root's)
set -euo pipefail
folder="$1"
crontab="$2"
mkdir -p "$folder/crontabs" "$folder/cron.d" "$folder/run"
: >"$folder/crontab"
chmod 1730 "$folder/crontabs"
install -m 600 "$crontab" "$folder/crontabs/root"
export CRON_FOLDER="$folder"
exec unshare --mount sh -c '
  mount --bind "$CRON_FOLDER/crontabs" /var/spool/cron/crontabs &&
  mount --bind "$CRON_FOLDER/cron.d" /etc/cron.d &&
  mount --bind "$CRON_FOLDER/crontab" /etc/crontab &&
  mount --bind "$CRON_FOLDER/run" /run &&
  exec faketime -f "+0 x40" cron -f'
