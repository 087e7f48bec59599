#!/usr/bin/env python3
"""cron_next against a reference that walks every minute with Python's zoneinfo.

    test_cron_zones.py CRON_TIMES

Days around each change of the clocks, leap days and year ends of ten zones; fixed and random expressions.
"""
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

UTC = timezone.utc
ZONES = {  # the years that have something to show
    "Europe/Berlin": (1995, 2024, 2026, 2045),
    "America/New_York": (2006, 2007, 2026, 2060),
    "America/Sao_Paulo": (2017, 2018, 2019, 2026),  # began at midnight; ended for good in 2019
    "Australia/Lord_Howe": (2025, 2026, 2070),  # half an hour
    "Asia/Kolkata": (2026,),
    "Africa/Cairo": (2014, 2023, 2026, 2050),  # came back in 2023; ends at 24:00
    "Europe/Dublin": (2026, 2044),  # its winter time is the exception
    "Africa/Casablanca": (2025, 2026),
    "America/Nuuk": (2023, 2026, 2050),  # begins before midnight of the day before
    "Pacific/Apia": (2011, 2012),  # left out a whole day
}
EXPRESSIONS = [
    "* * * * *", "*/15 * * * *", "0 * * * *", "30 2 * * *", "0 2 * * *", "15,45 1-3 * * *", "0 0 * * *",
    "30 0 * * *", "59 23 * * *", "0 3 * * sun", "*/20 2 * * *", "0 */2 * * *", "0 0 29 2 *", "0 12 31 12 *",
    "0 0 1 1 *", "5 1,2 * * 0,6", "45 1 1-7 * sun", "0 2 */2 * sun", "10 0-23 * * *",
]
FIELDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
NAMES = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


def values(field, text):
    low, high = FIELDS[field]
    out = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = map(int, span.split("-"))
        else:
            first = NAMES.index(span) if span in NAMES else int(span)
            last = high if step else first
        out.update(range(first, last + 1, int(step or 1)))
    return out


class Reference:
    def __init__(self, text):
        parts = text.split()
        self.sets = [values(i, part) for i, part in enumerate(parts)]
        self.star = parts[2][0] == "*" or parts[4][0] == "*"
        self.elapsed = parts[0][0] == "*" or parts[1][0] == "*"

    def holds(self, t):
        minute, hour, day, month, weekday = self.sets
        if t.minute not in minute or t.hour not in hour or t.month not in month:
            return False
        a, b = t.day in day, t.isoweekday() % 7 in weekday
        return (a and b) if self.star else (a or b)

    def times(self, walk):
        for second, local, jumped in walk:
            if self.elapsed:
                if self.holds(local):
                    yield second
            elif any(self.holds(j) for j in jumped) or (local.fold == 0 and self.holds(local)):
                yield second


def walk_minutes(zone, start, end):
    """(second, wall clock, wall clock times left out just before) of every minute."""
    out, before = [], None
    t = start
    while t < end:
        local = t.astimezone(zone)
        offset = local.utcoffset()
        jumped = []
        if before is not None and offset > before:
            naive = (t + before).replace(tzinfo=None)
            while naive < (t + offset).replace(tzinfo=None):
                jumped.append(naive)
                naive += timedelta(minutes=1)
        out.append((int(t.timestamp()), local, jumped))
        before = offset
        t += timedelta(minutes=1)
    return out


def windows(zone, year):
    """Spans of days worth a look: around every change, the end of February and the end of the year."""
    start = datetime(year, 1, 1, tzinfo=UTC)
    days = {58, 59, 364}
    for n in range(366):
        a, b = start + timedelta(days=n), start + timedelta(days=n + 1)
        if a.astimezone(zone).utcoffset() != b.astimezone(zone).utcoffset():
            days.update((n - 1, n, n + 1))
    run = []
    for n in sorted(days) + [10**6]:
        if run and n != run[-1] + 1:
            yield start + timedelta(days=run[0]), start + timedelta(days=run[-1] + 1)
            run = []
        run.append(n)


def random_expression(rnd):
    def field(i):
        low, high = FIELDS[i]
        kind = rnd.random()
        if kind < (0.2 if i < 2 else 0.6):
            return "*"
        if kind < 0.7:
            return ",".join(str(rnd.randint(low, min(high, 4) if i == 1 else high)) for _ in range(rnd.randint(1, 3)))
        if kind < 0.85:
            return "*/%d" % rnd.randint(2, 13)
        a, b = sorted((rnd.randint(low, high), rnd.randint(low, high)))
        return "%d-%d" % (a, b)
    return " ".join(field(i) for i in range(5))


def main():
    rnd = random.Random(1)
    asked, expected = [], []
    for name, years in ZONES.items():
        zone = ZoneInfo(name)
        for year in years:
            for start, end in windows(zone, year):
                walk = walk_minutes(zone, start, end)
                for text in EXPRESSIONS + [random_expression(rnd) for _ in range(10)]:
                    asked.append(f"{name}|{walk[0][0] * 1000 - 1}|{int(end.timestamp()) * 1000}|{text}")
                    expected.append(list(Reference(text).times(walk)))
    out = subprocess.run([sys.argv[1]], input="\n".join(asked) + "\n", capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    lines = out.stdout.split("\n")[:-1]
    assert len(lines) == len(asked), (len(lines), len(asked))
    bad = 0
    for question, line, want in zip(asked, lines, expected):
        got = list(map(int, line.split()))
        if got != want:
            bad += 1
            show = lambda times: [datetime.fromtimestamp(s, UTC).isoformat() for s in sorted(times)][:5]
            print(f"{question}\n  missing {show(set(want) - set(got))}\n  too many {show(set(got) - set(want))}")
    total = sum(map(len, expected))
    assert bad == 0, f"{bad} of {len(asked)} differ"
    assert total > 100000, total
    print(f"{len(asked)} windows, {total} times: equal")


if __name__ == "__main__":
    main()
