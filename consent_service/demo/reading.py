"""Say what is read at one go: which pages, for how long, and how the first was found (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from consent_service.demo.pages import Article, article_path, home_path
from consent_service.demo.rhythm import PEAK_DAYS_AGO
from consent_service.demo.shares import DIRECT, GOING_ROUND, ORDINARY, RETURNING, Profile, Wheel

MOST_PAGES: Final = 12
_ONE_PAGE: Final = 0.52
_ANOTHER: Final = 0.62
# Log-normal: half of all pages are left after 47 seconds, one in a hundred is open for more than ten minutes.
_READING_MEDIAN_SECONDS: Final = 47.0
_READING_SPREAD: Final = 1.12
_LONGEST_SECONDS: Final = 1_900.0
# An article is read most on its day; what remains after weeks are those who search for it.
_FADES_DAYS: Final = 2.6
_EVERGREEN: Final = 0.012
_OWN_LANGUAGE: Final = 5.0
_HOME_AGAIN: Final = 0.16

# When, path, query, referrer, source, channel.
Page = tuple[datetime, str, str, str, str, str]


class Reading:
    """Choose pages of the articles that are out on the day that was opened."""

    def __init__(self, articles: Sequence[Article], random: Random) -> None:
        self._articles = articles
        self._random = random
        self._wheels: dict[str, Wheel[Article]] = {}
        # The oldest stories of the paper are those that were out before the year began.
        self._oldest = max(article.age_days for article in articles)
        self._talk = min(articles, key=lambda article: abs(article.age_days - PEAK_DAYS_AGO))

    def open(self, days_ago: int) -> None:
        """Turn to a day: what is out, and how much of it is still read."""
        out = [article for article in self._articles if article.age_days >= days_ago]
        out = out or [article for article in self._articles if article.age_days == self._oldest]
        self._wheels = {
            language: Wheel([(article, self._weight(article, language, days_ago)) for article in out])
            for language in ("fr", "en", "es")
        }

    def draw_length(self) -> int:
        """Draw how many pages are read at one go."""
        if self._random.random() < _ONE_PAGE:
            return 1
        return min(MOST_PAGES, 2 + int(math.log(1 - self._random.random()) / math.log(_ANOTHER)))

    def sit(self, profile: Profile, at: datetime, pages: int, peak: float, *, is_return: bool) -> list[Page]:
        """Give the pages of one sitting as (time, path, query, referrer, source, channel)."""
        random = self._random
        goes_round = not is_return and random.random() < peak / (1 + peak)
        wheel = GOING_ROUND if goes_round else RETURNING if is_return else ORDINARY
        origin = wheel.draw(random)
        path = self._path(profile, origin.starts_at_home)
        if goes_round:
            path = article_path(profile.language, self._talk.slug)
        way = (origin.query, origin.referrer, origin.source, origin.channel)
        read: list[Page] = [(at, path, *way)]
        for _ in range(pages - 1):
            at += timedelta(milliseconds=int(1000 * self._seconds()))
            before, path = path, self._other_path(profile, path)
            read.append((at, path, "", before, DIRECT.source, DIRECT.channel))
        return read

    def _weight(self, article: Article, language: str, days_ago: int) -> float:
        age = article.age_days - days_ago
        fresh = math.exp(-max(age, 0) / _FADES_DAYS) + _EVERGREEN
        return article.weight * fresh * (_OWN_LANGUAGE if article.language == language else 1.0)

    def _path(self, profile: Profile, home_share: float) -> str:
        if self._random.random() < home_share:
            return home_path(profile.language)
        return article_path(profile.language, self._wheels[profile.language].draw(self._random).slug)

    def _other_path(self, profile: Profile, present: str) -> str:
        for _ in range(4):
            path = self._path(profile, _HOME_AGAIN)
            if path != present:
                return path
        return home_path(profile.language)

    def _seconds(self) -> float:
        drawn = math.exp(self._random.gauss(math.log(_READING_MEDIAN_SECONDS), _READING_SPREAD))
        return min(_LONGEST_SECONDS, 2.0 + drawn)
