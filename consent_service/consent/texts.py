"""Hold the built-in words of everything visitors read, one file a language, and choose among languages."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal, get_args

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
    "failed",
    "confirm",
    "blocked",
    "allow",
)
_FALLBACK: Final = "en"
_RIGHT_TO_LEFT: Final = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})
# What browsers and pages still send for a language that has another name today (RFC 5646), and the Norwegian that every
# reader of the other one reads.
_NAMED_OTHERWISE: Final = {"iw": "he", "ji": "yi", "nn": "nb", "no": "nb"}
# A region says which Chinese script is read there, where the tag does not (CLDR, likely subtags).
_TRADITIONAL: Final = frozenset({"tw", "hk", "mo"})

Part = Literal["banner", "preferences", "my", "privacy", "data"]


@cache
def built_in_languages() -> frozenset[str]:
    """Give the languages that have built-in words."""
    folder = files(__package__).joinpath("languages")
    return frozenset(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def has_words(language: str) -> bool:
    """Say whether a language, in whatever region or under whatever name, has built-in words."""
    return _nearest(built_in_languages(), language) is not None


def words_language(language: str) -> str:
    """Give the language whose built-in words serve a language: the nearest one, or English."""
    return _nearest(built_in_languages(), language) or _FALLBACK


def words(language: str, part: Part) -> Mapping[str, str]:
    """Give the built-in words of one part of what is shown."""
    return _file(words_language(language))[part]


def text_direction(language: str) -> Literal["ltr", "rtl"]:
    """Give the direction in which a language is written."""
    return "rtl" if _reading(language) in _RIGHT_TO_LEFT else "ltr"


def choose_language(languages: Sequence[str], default: str, *wanted: str | None) -> str:
    """Give the offered language nearest to the first wanted one that has any near; else the default.

    Nearest is the tag itself, then one of the same language, of Chinese one in the same script before the other.
    """
    found = (_nearest(languages, tag) for tag in wanted if tag)
    return next((language for language in found if language is not None), default)


def aliases(languages: Collection[str]) -> dict[str, str]:
    """Give, for tags that are not the name of an offered language, the one that serves their readers.

    Tags are in lower case, as short as a reader of less and less of a tag looks for; only what is served is there.
    """
    whole = [language.lower() for language in languages]
    tags = [*whole, *map(_primary, whole), *_NAMED_OTHERWISE, *(f"zh-{region}" for region in sorted(_TRADITIONAL))]
    found = {tag: _nearest(languages, tag) for tag in tags}
    return {tag: language for tag, language in found.items() if language is not None and language != tag}


def _nearest(languages: Collection[str], wanted: str) -> str | None:
    exact = wanted.replace("_", "-").lower()
    for language in languages:
        if language.lower() == exact:
            return language
    for kind in (_reading, _primary):
        near = [language for language in languages if kind(language) == kind(wanted)]
        if near:
            return min(near, key=len)
    return None


def _reading(tag: str) -> str:
    """Give what must be the same for the readers of one tag to read the other."""
    language, rest = _primary(tag), tag.replace("_", "-").lower().split("-")[1:]
    if language != "zh":
        return language
    is_traditional = "hant" in rest or ("hans" not in rest and not _TRADITIONAL.isdisjoint(rest))
    return "zh-hant" if is_traditional else "zh-hans"


def _primary(tag: str) -> str:
    language = tag.replace("_", "-").split("-")[0].lower()
    return _NAMED_OTHERWISE.get(language, language)


@cache
def _file(language: str) -> Mapping[Part, Mapping[str, str]]:
    text = files(__package__).joinpath("languages", f"{language}.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    parts: tuple[Part, ...] = get_args(Part)
    return MappingProxyType({part: MappingProxyType(document[part]) for part in parts})
