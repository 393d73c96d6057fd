"""Hold the built-in words of banner and privacy page, one file a language, and choose among languages."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal

BANNER_KEYS: Final = (
    "title",
    "body",
    "accept",
    "refuse",
    "customize",
    "save",
    "policy",
    "open",
    "saved",
    "signal",
)
_FALLBACK: Final = "en"
_RIGHT_TO_LEFT: Final = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})

Part = Literal["banner", "privacy", "data"]


@cache
def built_in_languages() -> frozenset[str]:
    """Give the languages that have built-in words."""
    folder = files(__package__).joinpath("languages")
    return frozenset(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def has_words(language: str) -> bool:
    """Say whether a language, or the language without its region, has built-in words."""
    return language in built_in_languages() or primary(language) in built_in_languages()


def words_language(language: str) -> str:
    """Give the language whose built-in words serve: itself, itself without its region, or English."""
    for candidate in (language, primary(language)):
        if candidate in built_in_languages():
            return candidate
    return _FALLBACK


def words(language: str, part: Part) -> Mapping[str, str]:
    """Give the built-in words of one part of what is shown."""
    return _file(words_language(language))[part]


def primary(language: str) -> str:
    """Give the primary subtag of a language tag (RFC 5646): `fr` of `fr-CA`."""
    return language.split("-")[0].split("_")[0].lower()


def text_direction(language: str) -> Literal["ltr", "rtl"]:
    """Give the direction in which a language is written."""
    return "rtl" if primary(language) in _RIGHT_TO_LEFT else "ltr"


def choose_language(languages: Sequence[str], default: str, wanted: str | None) -> str:
    """Give the offered language nearest to the wanted one: itself, its primary subtag's, or the default."""
    if not wanted:
        return default
    exact = wanted.replace("_", "-").lower()
    for language in languages:
        if language.lower() == exact:
            return language
    near = [language for language in languages if primary(language) == primary(wanted)]
    return min(near, key=len, default=default)


@cache
def _file(language: str) -> Mapping[Part, Mapping[str, str]]:
    text = files(__package__).joinpath("languages", f"{language}.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    parts: tuple[Part, ...] = ("banner", "privacy", "data")
    return MappingProxyType({part: MappingProxyType(document[part]) for part in parts})
