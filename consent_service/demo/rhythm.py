"""Say when the demo site is read: by day of the year, weekday, hour of the day and what went round (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

DAYS: Final = 365
# Monday first: a paper is read at work and on the way there, less at the weekend, a little more on Sunday evening.
WEEKDAYS: Final = (1.08, 1.12, 1.09, 1.07, 1.0, 0.72, 0.79)
# From midnight on: breakfast, lunch, evening.
HOURS: Final = (
    *(0.9, 0.5, 0.3, 0.25, 0.35, 0.9, 2.4, 4.6, 5.4, 4.8, 4.2, 4.3),
    *(5.6, 5.1, 4.0, 3.7, 3.8, 4.4, 5.2, 5.5, 5.7, 5.3, 3.9, 2.1),
)
# A story that went round: how much is read on its day and on those after it.
PEAK_DAYS_AGO: Final = 143
PEAK: Final = (3.4, 2.5, 1.7, 1.3, 1.12)
_LOWEST_TO_HIGHEST: Final = 0.58
_QUIET: Final = ((8, 1, 8, 25, 0.78), (12, 23, 12, 31, 0.7))


def share_of_peak(days_ago: int) -> float:
    """Give how much more is read on a day because a story goes round; 0 on an ordinary day."""
    since = PEAK_DAYS_AGO - days_ago
    return PEAK[since] - 1 if 0 <= since < len(PEAK) else 0.0


def day_weight(day: date, days_ago: int, random: Random) -> float:
    """Give how much is read on a day, beside 1 for an average weekday at the end of the year."""
    growth = math.pow(_LOWEST_TO_HIGHEST, days_ago / DAYS)
    quiet = next((rate for m1, d1, m2, d2, rate in _QUIET if (m1, d1) <= (day.month, day.day) <= (m2, d2)), 1.0)
    weather = math.exp(random.gauss(0.0, 0.06))
    return growth * WEEKDAYS[day.weekday()] * quiet * weather * (1 + share_of_peak(days_ago))


def elapsed_share(local: datetime) -> float:
    """Give which share of a day's reading lies before a local time."""
    passed = sum(HOURS[: local.hour]) + HOURS[local.hour] * (local.minute * 60 + local.second) / 3600
    return passed / sum(HOURS)


def split(total: int, weights: Sequence[float]) -> list[int]:
    """Split a number into whole parts that follow the weights and add up to it (largest remainder)."""
    everything = sum(weights)
    exact = [total * weight / everything for weight in weights]
    parts = [math.floor(value) for value in exact]
    by_remainder = sorted(range(len(weights)), key=lambda place: (parts[place] - exact[place], place))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def draw_time(day: date, zone: ZoneInfo, random: Random) -> datetime:
    """Draw a moment of a local day, to the millisecond, aware UTC."""
    hour = random.choices(range(24), HOURS)[0]
    offset = timedelta(hours=hour, milliseconds=random.randrange(3_600_000))
    return (datetime.combine(day, time(), zone) + offset).astimezone(UTC)
