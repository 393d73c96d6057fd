"""The periods a console page can be about."""

from datetime import UTC, date, datetime

import pytest

from consent_service.console.spans import BadSpan, choose_span, days_text, named_span

ZONE = "Europe/Paris"
NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "first", "last", "before_first"),
    [
        ("day", date(2026, 3, 10), date(2026, 3, 10), date(2026, 3, 9)),
        ("7d", date(2026, 3, 3), date(2026, 3, 9), date(2026, 2, 24)),
        ("28d", date(2026, 2, 10), date(2026, 3, 9), date(2026, 1, 13)),
        ("12mo", date(2025, 3, 1), date(2026, 2, 28), date(2024, 3, 1)),
    ],
)
def test_a_named_span_is_compared_with_the_days_just_before(
    name: str, first: date, last: date, before_first: date
) -> None:
    span = named_span(name, NOW, ZONE)
    assert (span.first_day, span.last_day, span.before_first) == (first, last, before_first)
    assert name == "day" or span.before.end == span.period.start


def test_today_is_compared_with_yesterday_up_to_the_same_time_of_day() -> None:
    span = named_span("day", datetime(2026, 3, 29, 9, 30, tzinfo=UTC), ZONE)
    assert span.before.end == datetime(2026, 3, 28, 10, 30, tzinfo=UTC)  # 11:30 in Paris on both days
    assert span.before.start == datetime(2026, 3, 27, 23, 0, tzinfo=UTC)


def test_own_days_are_both_included_and_compared_with_as_many_before() -> None:
    span = choose_span({"from": "2026-02-01", "to": "2026-02-10"}, NOW, ZONE, "28d")
    assert (span.period.start, span.period.end) == (
        datetime(2026, 1, 31, 23, tzinfo=UTC),
        datetime(2026, 2, 10, 23, tzinfo=UTC),
    )
    assert (span.before_first, span.before_last) == (date(2026, 1, 22), date(2026, 1, 31))


def test_an_unknown_name_gives_the_default() -> None:
    assert choose_span({"period": "<script>"}, NOW, ZONE, "7d").name == "7d"
    assert choose_span({}, NOW, ZONE, "day").name == "day"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-03-02", "2026-03-01"),
        ("2026-03-01", ""),
        ("yesterday", "today"),
        ("2026-03-11", "2026-03-12"),
        ("0001-01-01", "0001-01-02"),
        ("2001-01-01", "2026-03-01"),
        ("2026-03-01\x00", "2026-03-02"),
    ],
)
def test_days_that_make_no_period_are_refused_in_one_sentence(first: str, last: str) -> None:
    with pytest.raises(BadSpan, match=r"\.$"):
        choose_span({"from": first, "to": last}, NOW, ZONE, "28d")


def test_days_are_written_once_where_they_are_the_same() -> None:
    assert days_text(date(2026, 3, 1), date(2026, 3, 1)) == "1 Mar 2026"
    assert days_text(date(2026, 3, 1), date(2026, 4, 2)) == "1 Mar – 2 Apr 2026"
    assert days_text(date(2025, 12, 31), date(2026, 1, 1)) == "31 Dec 2025 – 1 Jan 2026"
