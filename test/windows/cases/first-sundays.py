"""Writes first-sundays.txt: Python's own reader of zone data, from the packaged TZif bytes.

    python3 test/windows/cases/first-sundays.py > test/windows/cases/first-sundays.txt
"""

import base64
import datetime
import io
import pathlib
import re
import zoneinfo

ZONES = """America/Los_Angeles America/New_York America/Santiago America/Sao_Paulo Europe/London Europe/Madrid
Africa/Casablanca Asia/Kolkata Australia/Sydney Australia/Lord_Howe Pacific/Chatham Pacific/Apia""".split()
PACKAGED = pathlib.Path(__file__).parents[3] / "packages/core/src/time/packaged-zone-data.generated.ts"
VALUES = dict(re.findall(r'"([^"]+)":\s*"([^"]+)"', PACKAGED.read_text()))


def zone_of(name):
    value = VALUES[name]
    while value in VALUES:
        value = VALUES[value]
    return zoneinfo.ZoneInfo.from_file(io.BytesIO(base64.b64decode(value)), key=name)


def offset(moment):
    minutes = int(moment.utcoffset().total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


print("# Made by first-sundays.py. Zone, year, and for each month the first Sunday and the offset from UTC at its 02:00,")
print("# with that at its 06:00 where it is another. Where clocks jump over 02:00 it is the offset before, where it is twice that of the first.")
for name in ZONES:
    zone = zone_of(name)
    for year in range(2024, 2029):
        cells = []
        for month in range(1, 13):
            day = next(day for day in range(1, 8) if datetime.date(year, month, day).weekday() == 6)
            start, end = (offset(datetime.datetime(year, month, day, hour, tzinfo=zone)) for hour in (2, 6))
            cells.append(f"{day}:{start}" if start == end else f"{day}:{start}>{end}")
        print(name, year, *cells)
