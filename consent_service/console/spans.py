"""Choose the period a page is about, and the one it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from consent_service.stats.parse import LONGEST_PERIOD
from consent_service.stats.periods import days_period, named_period
from consent_service.stats.privacy import PERIODS
from consent_service.stats.query import Period

TODAY: Final = "day"
CUSTOM: Final = "custom"
# The names of the reporting API, so that a figure is found again there.
NAMES: Final = {
    TODAY: "Today",
    "7d": "7 days",
    "28d": "28 days",
    "30d": "30 days",
    "91d": "91 days",
    "12mo": "12 months",
}
# Today is left out: looked at twice, it tells of those who came in between.
VIEWER_NAMES: Final = {name: NAMES[name] for name in PERIODS if name != TODAY}


class BadSpan(ValueError):
    """Tell in one sentence what is wrong with the days that were asked for."""


@dataclass(frozen=True, slots=True)
class Span:
    """Hold a period of whole local days (today's up to the present hour) and the one just before it."""

    name: str
    period: Period
    before: Period
    first_day: date
    last_day: date
    before_first: date
    before_last: date
    comparison: str

    @property
    def text(self) -> str:
        """Write the period for people."""
        return days_text(self.first_day, self.last_day)

    @property
    def before_text(self) -> str:
        """Write the period it is compared with for people."""
        return days_text(self.before_first, self.before_last)


def choose_span(asked: Mapping[str, str], now: datetime, zone: str, default: str) -> Span:
    """Give the span of a page's query (`period`, or `from` and `to`, both inclusive); raises BadSpan."""
    if asked.get("from") or asked.get("to"):
        return _custom(asked.get("from", ""), asked.get("to", ""), now, zone)
    name = asked.get("period", default)
    return named_span(name if name in NAMES else default, now, zone)


def named_span(name: str, now: datetime, zone: str) -> Span:
    """Give the span of one of NAMES at a time."""
    if name == TODAY:
        return _today(now, zone)
    period = named_period(name, now, zone)
    first, last = _days(period)
    if name == "12mo":
        before = first.replace(year=first.year - 1)
        return _span(name, period, first, last, before, "the 12 months before")
    return _before(name, period, first, last)


def days_text(first: date, last: date) -> str:
    """Write one day or a stretch of days, as `3 Mar 2026` or `3 Mar – 30 Apr 2026`."""
    if first == last:
        return f"{first.day} {first:%b %Y}"
    if first.year == last.year:
        return f"{first.day} {first:%b} – {last.day} {last:%b %Y}"
    return f"{first.day} {first:%b %Y} – {last.day} {last:%b %Y}"


def _today(now: datetime, zone: str) -> Span:
    period = named_period(TODAY, now, zone, is_trimmed=True)
    first, _ = _days(period)
    day_before = first - timedelta(days=1)
    # The wall clock's time, so that the day before is cut at the same hour also when the clocks change.
    same_time = now.astimezone(ZoneInfo(zone)) - timedelta(days=1)
    before = Period(days_period(day_before, day_before, zone).start, same_time.astimezone(UTC), zone)
    return Span(TODAY, period, before, first, first, day_before, day_before, "yesterday up to this time")


def _custom(first_text: str, last_text: str, now: datetime, zone: str) -> Span:
    try:
        first, last = date.fromisoformat(first_text), date.fromisoformat(last_text)
    except ValueError:
        raise BadSpan("Give two days, like 2026-03-01 and 2026-03-31.") from None
    if last < first:
        raise BadSpan("The last day must not come before the first.")
    today = now.astimezone(ZoneInfo(zone)).date()
    if first > today:
        raise BadSpan("These days have not begun yet.")
    if last - first >= LONGEST_PERIOD or first.year < 2000:
        raise BadSpan(f"A period may have {LONGEST_PERIOD.days} days, from the year 2000 on.")
    return _before(CUSTOM, days_period(first, last, zone), first, last)


def _before(name: str, period: Period, first: date, last: date) -> Span:
    count = (last - first).days + 1
    words = "the day before" if count == 1 else f"the {count} days before"
    return _span(name, period, first, last, first - timedelta(days=count), words)


def _span(name: str, period: Period, first: date, last: date, before_first: date, words: str) -> Span:
    before_last = first - timedelta(days=1)
    before = days_period(before_first, before_last, period.zone)
    return Span(name, period, before, first, last, before_first, before_last, words)


def _days(period: Period) -> tuple[date, date]:
    place, start = ZoneInfo(period.zone), period.start
    if start is None:
        raise ValueError("a span needs its first day")
    last = (period.end - timedelta(microseconds=1)).astimezone(place).date()
    return start.astimezone(place).date(), last
