#!/usr/bin/env bash
# Installs the systems that the integration suites start for real, from Debian's own packages. Does nothing when they are
# there already. One line a system: what it is, then its packages.
set -euo pipefail

packages=(
  # Tryton 6.0, the ERP of the maintenance window suite (sqlite; the party module is all it needs), and its sales and stock.
  tryton-server tryton-modules-party tryton-modules-sale tryton-modules-stock
  # PostgreSQL 15, the oldest that Quiesce runs on (with-postgres-15.sh makes a cluster of its own).
  postgresql-15
  # Readers of calendar feeds that are not ours (read-calendar.py).
  python3-icalendar python3-dateutil python3-recurring-ical-events
  # Nagios Core 4 with its CGIs (the tests are their web server), and the plugin that answers as it is told.
  nagios4-core nagios4-cgi monitoring-plugins-basic
  # Prometheus's Alertmanager, and Prometheus for the figures beside it.
  prometheus-alertmanager prometheus
  # The systems of the connectors for data, each started by its own suite.
  mariadb-server rabbitmq-server nats-server redis-server mosquitto
  # Request Tracker 5, the tracker (sqlite; its own little web server).
  request-tracker5 rt5-db-sqlite
  # A cron for the outside schedulers, and a clock that makes its minutes short.
  cron faketime
  # The browser that the dashboard's tests drive.
  chromium
)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then
  echo "Already installed: ${packages[*]}"
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "The integration suites need these Debian packages: ${missing[*]}. This system has no apt-get." >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi

export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
# Services must not start by themselves: the suites start and stop their own copies.
"${as_root[@]}" env RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "Installed: ${missing[*]}"
