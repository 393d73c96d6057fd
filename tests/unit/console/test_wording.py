"""Numbers, changes and names as people read them."""

import pytest

from consent_service.console.wording import (
    bucket_text,
    change_text,
    country_name,
    duration_text,
    language_text,
    number_text,
)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min 00 s"), (3725, "1 h 02 min")])
def test_durations_name_their_units(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text


def test_numbers_carry_their_unit() -> None:
    assert number_text("visitors", 12345) == "12,345"
    assert number_text("bounce_rate", 51.94) == "51.9 %"
    assert number_text("views_per_visit", 2) == "2.00"
    assert number_text("visit_duration", 114) == "1 min 54 s"


@pytest.mark.parametrize(
    ("metric", "value", "before", "text"),
    [
        ("visitors", 110, 100, "▲ 10 %"),
        ("visitors", 98, 100, "▼ 2.0 %"),
        ("visitors", 5, 0, "new"),
        ("visitors", 0, 0, "unchanged"),
        ("visitors", 100_001, 100_000, "unchanged"),
        ("bounce_rate", 51.9, 54.3, "▼ 2.4 points"),
        ("bounce_rate", 50.0, 50.0, "unchanged"),
    ],
)
def test_rates_change_by_points_and_all_else_by_percent(metric: str, value: float, before: float, text: str) -> None:
    assert change_text(metric, value, before) == text


def test_buckets_are_short_enough_for_an_axis() -> None:
    assert bucket_text("2026-03-10 14:00:00", "hour") == "14:00"
    assert bucket_text("2026-03-09", "week") == "9 Mar"
    assert bucket_text("2026-03-01", "month") == "Mar 2026"


def test_countries_have_names_and_others_keep_their_code() -> None:
    assert country_name("FR") == "France"
    assert country_name("(not set)") == "(not set)"


def test_languages_are_named_as_officers_call_them() -> None:
    assert [language_text(tag) for tag in ("fr", "zh-Hant", "xx")] == ["French", "Chinese (Traditional)", "xx"]
