"""Quartz expressions: whether one is legal, and when it comes next. docs: uipath.md 3.16"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo

_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2099))
"""Seconds, minutes, hours, days of the month, months, days of the week from Sunday, and perhaps years."""
_NAMES = {
    name: str(number)
    for names in ("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", "SUN MON TUE WED THU FRI SAT")
    for number, name in enumerate(names.split(), start=1)
}
_SPECIAL_DAY = re.compile(r"[0-9]*[LW#][0-9WL-]*")
"""The last day, the nearest working day, the third Friday."""
_FARTHEST = timedelta(days=366 * 8)
"""A date that comes at all comes within two leap years."""


class Cron:
    """A Quartz expression of six or seven fields. Raises ValueError for one that is none."""

    def __init__(self, expression: str) -> None:
        fields = re.sub("[A-Za-z]{3}", lambda word: _NAMES.get(word[0].upper(), word[0]), expression).split()
        if len(fields) not in (6, 7) or [fields[3], fields[5]].count("?") != 1:
            raise ValueError("six or seven fields, and ? for one of the two kinds of days")
        self._special = any(_SPECIAL_DAY.fullmatch(fields[place]) for place in (3, 5))
        if self._special:
            fields[3] = fields[5] = "*"
        fields += ["*"] * (7 - len(fields))
        self._sets = [_values(one, *bounds) for one, bounds in zip(fields, _RANGES, strict=True)]

    def after(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """The first time after a moment; None when there is none, and for last, nearest and numbered days."""
        if self._special:
            return None
        local = moment.astimezone(zone)
        day = local.date()
        while day <= local.date() + _FARTHEST:
            if self._has(day):
                for at in self._times():
                    found = datetime.combine(day, at, tzinfo=zone)
                    if found > local:
                        return found
            day += timedelta(days=1)
        return None

    def _has(self, day: date) -> bool:
        of_week = day.isoweekday() % 7 + 1
        asked = zip(self._sets[3:], (day.day, day.month, of_week, day.year), strict=True)
        return all(value in allowed for allowed, value in asked)

    def _times(self) -> list[time]:
        seconds, minutes, hours = (sorted(one) for one in self._sets[:3])
        return [time(hour, minute, second) for hour in hours for minute in minutes for second in seconds]


def _values(field: str, lowest: int, highest: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{lowest}-{highest}" if span in ("*", "?") else span).partition("-")
        end = int(last) if last else (highest if step else int(first))
        numbers = range(int(first), end + 1, int(step or 1))
        if not numbers or min(numbers) < lowest or max(numbers) > highest:
            raise ValueError(f"{part} is not within {lowest} to {highest}")
        found.update(numbers)
    return frozenset(found)
