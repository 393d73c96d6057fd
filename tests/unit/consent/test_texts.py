"""The built-in words are complete in every language, and the nearest language is chosen."""

import re
import tomllib
from importlib.resources import files
from typing import get_args

import pytest
from babel import Locale

from consent_service.consent.policy import DataGroup
from consent_service.consent.texts import (
    BANNER_KEYS,
    Part,
    built_in_languages,
    choose_language,
    has_words,
    text_direction,
    words,
    words_language,
)

OFFERED = ("fr", "en", "es", "pt-BR", "zh-Hans", "zh-Hant", "nb", "he")
EU = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split()
BEYOND = "ar he hi is ja ko nb tr uk zh-Hans zh-Hant".split()
LANGUAGES = sorted([*EU, *BEYOND])


def parts_of(language: str) -> dict[str, dict[str, str]]:
    """Read a language's file, with its order."""
    path = files("consent_service.consent").joinpath("languages", f"{language}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{[^{}]*\}", text))


def test_the_languages_are_those_of_the_union_and_eleven_more() -> None:
    assert len(EU) == 24
    assert built_in_languages() == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word_in_the_same_order_with_the_same_placeholders(language: str) -> None:
    own, english = parts_of(language), parts_of("en")
    assert list(own) == list(english) == list(get_args(Part))
    for part, texts in english.items():
        assert list(own[part]) == list(texts)
        for key, text in own[part].items():
            assert text.strip() == text != "", (part, key)
            assert placeholders(text) == placeholders(texts[key]), (part, key)
            assert text.count("{") == len(placeholders(text)), (part, key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_banner_words_are_complete_short_and_even_handed(language: str) -> None:
    own = words(language, "banner")
    assert tuple(own) == BANNER_KEYS
    assert own["body"].count("{policy}") == 1
    assert len(re.sub(r"\{\w+\}", "", own["body"])) <= 215
    for key in ("accept", "refuse"):
        assert len(own[key].split()) == 1
        assert len(own[key]) <= 16
    assert abs(len(own["accept"]) - len(own["refuse"])) <= 4
    assert len(own["customize"]) <= 18
    assert len(own["open"]) <= 30
    assert set(words(language, "data")) == {str(group) for group in DataGroup}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_locale_for_its_numbers_and_dates(language: str) -> None:
    assert str(Locale.parse(language, sep="-")).replace("_", "-") == language


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("es", "es"),
        ("ES", "es"),
        ("fr-CA", "fr"),
        ("fr_CA", "fr"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("pt-br", "pt-BR"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh_TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-MO", "zh-Hant"),
        ("zh-Hant-US", "zh-Hant"),
        ("no", "nb"),
        ("nn", "nb"),
        ("nn-NO", "nb"),
        ("no-NO", "nb"),
        ("iw", "he"),
        ("iw-IL", "he"),
        ("de", "fr"),
        ("", "fr"),
        (None, "fr"),
        ("-", "fr"),
        ("<script>", "fr"),
    ],
)
def test_the_nearest_language_is_chosen(wanted: str | None, given: str) -> None:
    assert choose_language(OFFERED, "fr", wanted) == given


def test_the_first_wanted_language_that_is_near_one_is_chosen() -> None:
    assert choose_language(OFFERED, "fr", None, "de", "es-AR", "en") == "es"
    assert choose_language(OFFERED, "fr", "de", "it") == "fr"


def test_one_script_of_chinese_serves_the_readers_of_the_other_before_another_language_does() -> None:
    assert choose_language(("fr", "zh-Hans"), "fr", "zh-TW") == "zh-Hans"


def test_words_of_a_region_are_those_of_its_language_and_english_serves_the_rest() -> None:
    found = {tag: words_language(tag) for tag in ("fr-CA", "zh-TW", "zh-CN", "no", "iw", "eo")}
    assert found == {"fr-CA": "fr", "zh-TW": "zh-Hant", "zh-CN": "zh-Hans", "no": "nb", "iw": "he", "eo": "en"}
    assert [has_words(tag) for tag in found] == [True] * 5 + [False]


def test_right_to_left_languages_say_so() -> None:
    found = [text_direction(language) for language in ("ar", "he", "iw", "fa-IR", "ur", "fr", "zh-Hant")]
    assert found == ["rtl"] * 5 + ["ltr"] * 2
