"""Write numbers, changes and names as people read them."""

from __future__ import annotations

from typing import Final

from babel import Locale, UnknownLocaleError

NO_NUMBER: Final = "–"
_LOCALE: Final = Locale("en")


def number_text(metric: str, value: float) -> str:
    """Write a metric's value with its unit."""
    match metric:
        case "bounce_rate":
            return f"{value:.1f} %"
        case "views_per_visit":
            return f"{value:.2f}"
        case "visit_duration":
            return duration_text(int(value))
    return count_text(int(value))


def count_text(value: int) -> str:
    """Write a count with its thousands apart."""
    return f"{value:,}"


def language_text(tag: str) -> str:
    """Write a language's name."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(_LOCALE) or tag
    except (UnknownLocaleError, ValueError):
        return tag


def percent_text(value: float | None) -> str:
    """Write a rate in percent, a dash when there is none."""
    return NO_NUMBER if value is None else f"{value:.1f} %"


def duration_text(seconds: int) -> str:
    """Write seconds as minutes and seconds, or hours and minutes."""
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


def change_text(metric: str, value: float, before: float) -> str:
    """Write how a number changed: rates by points, all others by percent; nothing when there is nothing to compare."""
    if metric == "bounce_rate":
        points = round(value - before, 1)
        return "unchanged" if points == 0 else f"{_arrow(points)} {abs(points):.1f} points"
    if before == 0:
        return "unchanged" if value == 0 else "new"
    percent = 100 * (value - before) / before
    if round(abs(percent), 1) == 0:
        return "unchanged"
    return (
        f"{_arrow(percent)} {abs(percent):,.0f} %" if abs(percent) >= 10 else f"{_arrow(percent)} {abs(percent):.1f} %"
    )


def bucket_text(label: str, unit: str) -> str:
    """Write the label of a time bucket (`2026-03-10`, `2026-03-10 14:00:00`) short enough for an axis."""
    if unit == "hour":
        return label[11:16]
    year, month, day = label[:4], _LOCALE.months["format"]["abbreviated"][int(label[5:7])], int(label[8:10])
    return f"{month} {year}" if unit == "month" else f"{day} {month}"


def country_name(code: str) -> str:
    """Give the English name of a country by its code (ISO 3166-1), the code itself when it has none."""
    name = _LOCALE.territories.get(code)
    return str(name) if name else code


def _arrow(difference: float) -> str:
    return "▲" if difference > 0 else "▼"
