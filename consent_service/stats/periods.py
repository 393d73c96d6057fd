"""Turn names and dates into stretches of time, and stretches into labelled buckets, in a site's time zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from consent_service.days import day_start
from consent_service.stats.query import Period, Unit

DAYS_BACK: Final = {"7d": 7, "28d": 28, "30d": 30, "91d": 91}
MONTHS_BACK: Final = {"6mo": 6, "12mo": 12}
NAMED: Final = ("day", "24h", *DAYS_BACK, "month", *MONTHS_BACK, "year", "all")

# Local hours start on quarters of a UTC hour at the finest (Kathmandu), so they are looked for in such steps.
_STEP: Final = timedelta(minutes=15)


def named_period(name: str, now: datetime, zone: str, *, is_trimmed: bool = False) -> Period:
    """Give the period one of NAMED means at `now`.

    `7d` to `91d` are whole days before today, `6mo` and `12mo` whole months before this one; `day`, `month` and
    `year` are the present ones, to their end, or, trimmed, to the end of the present hour or day.
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    tomorrow = today + timedelta(days=1)
    month = today.replace(day=1)
    if name == "24h":
        return Period(now - timedelta(hours=24), now, zone)
    if name in DAYS_BACK:
        return days_period(today - timedelta(days=DAYS_BACK[name]), today - timedelta(days=1), zone)
    if name in MONTHS_BACK:
        return days_period(_add_months(month, -MONTHS_BACK[name]), month - timedelta(days=1), zone)
    if name == "all":
        return Period(None, day_start(tomorrow, ZoneInfo(zone)), zone)
    if name == "day":
        whole = days_period(today, today, zone)
        end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return Period(whole.start, min(end, whole.end), zone) if is_trimmed else whole
    first, next_first = {
        "month": (month, _add_months(month, 1)),
        "year": (today.replace(month=1, day=1), date(today.year + 1, 1, 1)),
    }[name]
    return days_period(first, today if is_trimmed else next_first - timedelta(days=1), zone)


def days_period(first: date, last: date, zone: str) -> Period:
    """Give the period from the start of one day to the end of another, both inclusive."""
    place = ZoneInfo(zone)
    return Period(day_start(first, place), day_start(last + timedelta(days=1), place), zone)


def unit_for(start: datetime, end: datetime) -> Unit:
    """Choose the bucket of the bare `time` dimension: hours to 2 days, days to 40, weeks to 52, then months."""
    length = end - start
    if length <= timedelta(hours=49):
        return Unit.HOUR
    if length <= timedelta(days=40, hours=1):
        return Unit.DAY
    return Unit.WEEK if length < timedelta(weeks=53) else Unit.MONTH


def bucket_start(local: datetime, unit: Unit) -> datetime:
    """Give the wall-clock start of the bucket a local wall-clock time lies in."""
    if unit is Unit.HOUR:
        return local.replace(minute=0, second=0, microsecond=0)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit is Unit.WEEK:
        return midnight - timedelta(days=midnight.weekday())
    return midnight.replace(day=1) if unit is Unit.MONTH else midnight


def label(bucket: datetime, unit: Unit) -> str:
    """Write the start of a bucket as reports show it."""
    return bucket.strftime("%Y-%m-%d %H:%M:%S" if unit is Unit.HOUR else "%Y-%m-%d")


def labels(start: datetime, end: datetime, zone: str, unit: Unit) -> list[str]:
    """Name every bucket of a period in order; an hour the clock repeats is one bucket, one it skips is none."""
    buckets = dict.fromkeys(bucket_start(local, unit) for local in _local_times(start, end, zone, unit))
    return [label(bucket, unit) for bucket in buckets]


def bucket_count_limit(start: datetime, end: datetime, unit: Unit) -> int:
    """Give a number no smaller than that of the period's buckets."""
    shortest = {Unit.HOUR: timedelta(hours=1), Unit.DAY: timedelta(hours=23)}.get(unit, timedelta(days=6))
    return (end - start) // shortest + 2


def _local_times(start: datetime, end: datetime, zone: str, unit: Unit) -> Iterator[datetime]:
    place = ZoneInfo(zone)
    first = start.astimezone(place).replace(tzinfo=None)
    if unit is Unit.HOUR:
        at = start.replace(minute=start.minute // 15 * 15, second=0, microsecond=0)
        yield first
        while (at := at + _STEP) < end:
            yield at.astimezone(place).replace(tzinfo=None)
        return
    last = (end - timedelta(microseconds=1)).astimezone(place).date()
    day = first.date()
    while day <= last:
        yield datetime.combine(day, time())
        day += timedelta(days=1)


def _add_months(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)
