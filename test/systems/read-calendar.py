"""Reads an iCalendar file with Debian's python3-icalendar and python3-recurring-ical-events, and prints its occurrences between two instants
(epoch milliseconds) as JSON: [{"uid", "start", "end"}]."""
import datetime
import json
import sys

import icalendar
import recurring_ical_events

path, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def instant(milliseconds):
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)


def milliseconds(time):
    return round(time.astimezone(datetime.timezone.utc).timestamp() * 1000)


with open(path, "rb") as file:
    calendar = icalendar.Calendar.from_ical(file.read())
found = recurring_ical_events.of(calendar).between(instant(first), instant(last))
json.dump([{"uid": str(one["UID"]), "start": milliseconds(one["DTSTART"].dt), "end": milliseconds(one["DTEND"].dt)} for one in found], sys.stdout)
