"""The built-in words are complete in every language, and the nearest language is chosen."""

import re

import pytest

from consent_service.consent.policy import DataGroup
from consent_service.consent.texts import (
    BANNER_KEYS,
    Part,
    built_in_languages,
    choose_language,
    text_direction,
    words,
    words_language,
)

OFFERED = ("fr", "en", "es", "pt-BR")
PARTS: tuple[Part, ...] = ("banner", "privacy", "data")


def test_five_languages_at_least_are_built_in() -> None:
    assert built_in_languages() >= {"fr", "en", "es", "de", "it"}


@pytest.mark.parametrize("language", sorted(built_in_languages()))
def test_every_language_has_every_word_with_the_same_placeholders(language: str) -> None:
    for part in PARTS:
        own, english = words(language, part), words("en", part)
        assert own.keys() == english.keys()
        for key, text in own.items():
            assert text.strip() == text != ""
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english[key])), key


@pytest.mark.parametrize("language", sorted(built_in_languages()))
def test_banner_words_are_complete_short_and_even_handed(language: str) -> None:
    own = words(language, "banner")
    assert set(own) == set(BANNER_KEYS)
    assert own["body"].count("{policy}") == 1
    assert len(own["body"]) < 320
    for key in ("accept", "refuse"):
        assert len(own[key].split()) == 1
    assert abs(len(own["accept"]) - len(own["refuse"])) <= 3
    assert set(words(language, "data")) == {str(group) for group in DataGroup}


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
        ("de", "fr"),
        ("", "fr"),
        (None, "fr"),
        ("<script>", "fr"),
    ],
)
def test_the_nearest_language_is_chosen(wanted: str | None, given: str) -> None:
    assert choose_language(OFFERED, "fr", wanted) == given


def test_words_of_a_region_are_those_of_its_language_and_english_serves_the_rest() -> None:
    assert words_language("fr-CA") == "fr"
    assert words_language("eo") == "en"


def test_right_to_left_languages_say_so() -> None:
    assert [text_direction(language) for language in ("ar", "he", "fa-IR", "ur", "fr")] == ["rtl"] * 4 + ["ltr"]
