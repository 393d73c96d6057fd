"""Say numbers of days in the languages of the built-in words."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_timedelta
from babel.numbers import format_decimal

from consent_service.consent.texts import words_language


@cache
def locale_of(language: str) -> Locale:
    """Give the locale in which numbers, dates and countries are written: the language's, or that of its words."""
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(words_language(language), sep="-")


def say_days(count: int, language: str) -> str:
    """Write a number of days."""
    # Not `format_unit`: for a dozen languages it knows no long form, and writes "395 duration-day". Without the
    # threshold a year of days would become a year.
    locale = locale_of(language)
    written = format_timedelta(
        timedelta(days=count), granularity="day", threshold=float("inf"), format="long", locale=locale
    )
    return written.replace(str(count), format_decimal(count, locale=locale))
