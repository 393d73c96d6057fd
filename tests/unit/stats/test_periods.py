"""Periods and their buckets, in time zones whose days are not all 24 hours long."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.days import day_start
from consent_service.stats.periods import NAMED, days_period, labels, named_period, unit_for
from consent_service.stats.query import Unit

PARIS = "Europe/Paris"
NOW = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)  # 00:30 of the 11th in Paris
ZONES = ["UTC", PARIS, "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Asia/Beirut"]
MOMENTS = st.integers(631_152_000, 2_208_988_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def days(name: str, *, is_trimmed: bool = False) -> tuple[str, str]:
    period = named_period(name, NOW, PARIS, is_trimmed=is_trimmed)
    assert period.start is not None
    zone = ZoneInfo(PARIS)
    last = period.end - timedelta(seconds=1)
    return period.start.astimezone(zone).date().isoformat(), last.astimezone(zone).date().isoformat()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("day", ("2026-03-11", "2026-03-11")),
        ("7d", ("2026-03-04", "2026-03-10")),
        ("28d", ("2026-02-11", "2026-03-10")),
        ("30d", ("2026-02-09", "2026-03-10")),
        ("91d", ("2025-12-10", "2026-03-10")),
        ("month", ("2026-03-01", "2026-03-31")),
        ("6mo", ("2025-09-01", "2026-02-28")),
        ("12mo", ("2025-03-01", "2026-02-28")),
        ("year", ("2026-01-01", "2026-12-31")),
    ],
)
def test_a_named_period_has_these_days_of_the_site(name: str, expected: tuple[str, str]) -> None:
    assert days(name) == expected


def test_trimmed_periods_end_with_what_has_happened() -> None:
    assert days("month", is_trimmed=True) == ("2026-03-01", "2026-03-11")
    assert named_period("day", NOW, PARIS, is_trimmed=True).end == datetime(2026, 3, 11, 0, tzinfo=UTC)


def test_twenty_four_hours_end_now_and_all_starts_when_the_runner_knows() -> None:
    assert named_period("24h", NOW, PARIS).start == NOW - timedelta(hours=24)
    assert named_period("all", NOW, PARIS).start is None


def test_the_days_on_which_clocks_change_have_23_and_25_hours() -> None:
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25)):
        period = days_period(day, day, PARIS)
        assert period.start is not None
        assert period.end - period.start == timedelta(hours=hours)


def test_the_skipped_hour_has_no_label_and_the_repeated_one_has_one() -> None:
    spring, autumn = (days_period(day, day, PARIS) for day in (date(2026, 3, 29), date(2026, 10, 25)))
    assert spring.start is not None
    assert autumn.start is not None
    names = labels(spring.start, spring.end, PARIS, Unit.HOUR)
    assert len(names) == 23
    assert "2026-03-29 02:00:00" not in names
    names = labels(autumn.start, autumn.end, PARIS, Unit.HOUR)
    assert len(names) == 24
    assert names.count("2026-10-25 02:00:00") == 1


def test_a_day_that_begins_at_one_o_clock_still_begins() -> None:
    # On 2018-11-04 São Paulo went from midnight straight to 01:00.
    assert day_start(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo")) == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_weeks_start_on_monday_and_months_on_the_first() -> None:
    period = days_period(date(2026, 3, 11), date(2026, 4, 1), PARIS)
    assert period.start is not None
    weeks = labels(period.start, period.end, PARIS, Unit.WEEK)
    assert weeks == ["2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30"]
    assert labels(period.start, period.end, PARIS, Unit.MONTH) == ["2026-03-01", "2026-04-01"]


@pytest.mark.parametrize(
    ("length", "unit"), [(1, Unit.HOUR), (2, Unit.HOUR), (30, Unit.DAY), (91, Unit.WEEK), (800, Unit.MONTH)]
)
def test_the_bucket_grows_with_the_period(length: int, unit: Unit) -> None:
    assert unit_for(NOW, NOW + timedelta(days=length)) is unit


@given(st.sampled_from(ZONES), st.dates(date(1990, 1, 1), date(2040, 1, 1)), st.integers(0, 40))
def test_days_of_a_period_are_labelled_once_each_in_order(zone: str, first: date, more: int) -> None:
    period = days_period(first, first + timedelta(days=more), zone)
    assert period.start is not None
    names = labels(period.start, period.end, zone, Unit.DAY)
    assert names[0] == first.isoformat()
    assert names == sorted(set(names))
    assert len(names) in (more, more + 1)  # Samoa skipped a whole day in 2011
    assert days_period(first, first, zone).end <= day_start(first + timedelta(days=1), ZoneInfo(zone))


@given(st.sampled_from(ZONES), MOMENTS, st.integers(1, 72))
def test_every_hour_an_event_can_fall_into_is_labelled(zone: str, start: datetime, hours: int) -> None:
    names = labels(start, start + timedelta(hours=hours), zone, Unit.HOUR)
    for minute in range(0, hours * 60, 7):
        local = (start + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))
        assert f"{local:%Y-%m-%d %H}:00:00" in names


@given(
    st.sampled_from(NAMED),
    st.sampled_from(ZONES),
    MOMENTS,
    st.booleans(),
)
def test_every_named_period_ends_after_it_starts(name: str, zone: str, start: datetime, is_trimmed: bool) -> None:
    period = named_period(name, start, zone, is_trimmed=is_trimmed)
    assert period.start is None or period.start < period.end
