"""When "0 9 * * *" is due in each zone over ten years, by Python's zoneinfo on a release of the PyPI package `tzdata`.

Usage: expected.py DIRECTORY-OF-THE-PACKAGE FIRST-YEAR [ZONE ...]

Prints one line of JSON a zone: its occurrences in UTC as [first, count], each a day after the one before.
"""

import datetime
import json
import pathlib
import sys
import zoneinfo

package, year, chosen = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
zoneinfo.reset_tzpath([str((package / "zoneinfo").resolve())])
names = chosen or sorted((package / "zones").read_text().split())
day = datetime.timedelta(days=1)

for name in names:
    # A place holder for machines that were never told where they are.
    if name == "Factory":
        continue
    zone, runs, last = zoneinfo.ZoneInfo(name), [], None
    date = datetime.date(year, 1, 1)
    while date.year < year + 10:
        due = datetime.datetime(date.year, date.month, date.day, 9, tzinfo=zone).astimezone(datetime.timezone.utc)
        if last is not None and due - last == day:
            runs[-1][1] += 1
        else:
            runs.append([due.strftime("%Y-%m-%dT%H:%M:%SZ"), 1])
        last, date = due, date + day
    print(json.dumps({"tz": name, "runs": runs}, separators=(",", ":")))
