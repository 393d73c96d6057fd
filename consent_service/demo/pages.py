"""Hold what the demo site says: articles in three languages and the words of its interface (pure)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

CONTENT: Final = Path(__file__).resolve().parent / "content"
LANGUAGES: Final = ("fr", "en", "es")
DEFAULT_LANGUAGE: Final = "fr"
ROOT: Final = "/demo"


@dataclass(frozen=True, slots=True)
class Article:
    """Hold one article in its own language; a brief has a single paragraph and no picture.

    `age_days` counts from the day on which the site is looked at; `weight` is how much it is read beside others.
    """

    slug: str
    language: str
    section: str
    title: str
    standfirst: str
    body: tuple[str, ...]
    author: str
    age_days: int
    weight: float
    picture: str
    picture_alt: str
    picture_credit: str
    is_ai_text: bool
    is_ai_picture: bool
    is_brief: bool

    @property
    def minutes(self) -> int:
        """Give the minutes it takes to read, at 220 words a minute."""
        words = sum(len(part.split()) for part in (self.standfirst, *self.body))
        return max(1, round(words / 220))


@cache
def load_articles() -> tuple[Article, ...]:
    """Read every article, the newest first."""
    found = [_article(item, is_brief=False) for item in _read("articles.toml")["articles"]]
    found += [_article(item, is_brief=True) for item in _read("briefs.toml")["briefs"]]
    return tuple(sorted(found, key=lambda article: (article.age_days, -article.weight, article.slug)))


@cache
def find_article(slug: str) -> Article | None:
    """Give the article of that slug, None when there is none."""
    return next((article for article in load_articles() if article.slug == slug), None)


@cache
def load_words() -> Mapping[str, Mapping[str, Any]]:
    """Read the words of the interface, by language."""
    return _read("interface.toml")


def prefix(language: str) -> str:
    """Give the path under which the interface in a language lies."""
    return ROOT if language == DEFAULT_LANGUAGE else f"{ROOT}/{language}"


def home_path(language: str) -> str:
    """Give the path of the front page."""
    return f"{prefix(language)}/"


def archive_path(language: str) -> str:
    """Give the path of the list of everything that was published."""
    return f"{prefix(language)}/archives"


def article_path(language: str, slug: str) -> str:
    """Give the path of an article in an interface language."""
    return f"{prefix(language)}/articles/{slug}"


def _read(name: str) -> dict[str, Any]:
    with (CONTENT / name).open("rb") as file:
        return tomllib.load(file)


def _article(item: Mapping[str, Any], *, is_brief: bool) -> Article:
    return Article(
        slug=item["slug"],
        language=item["language"],
        section=item["section"],
        title=item["title"],
        standfirst=item["standfirst"],
        body=tuple(item.get("body", ())),
        author=item.get("author", ""),
        age_days=item["age_days"],
        weight=item.get("weight", 0.6 if is_brief else 1.5),
        picture=item.get("picture", ""),
        picture_alt=item.get("picture_alt", ""),
        picture_credit=item.get("picture_credit", ""),
        is_ai_text=item.get("is_ai_text", False),
        is_ai_picture=item.get("is_ai_picture", False),
        is_brief=is_brief,
    )
