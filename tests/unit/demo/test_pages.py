"""The demo's words and pictures are complete in every language."""

import tomllib
from pathlib import Path

import pytest

from consent_service.consent.policy import parse_policy
from consent_service.demo.pages import CONTENT, LANGUAGES, load_articles, load_words
from consent_service.demo.site import origins
from consent_service.resources import data_dir
from consent_service.sites.settings import parse_settings


def test_every_language_of_the_interface_has_every_word() -> None:
    words = load_words()
    assert set(words) == set(LANGUAGES)
    for language in LANGUAGES:
        assert words[language].keys() == words["fr"].keys()
        assert words[language]["sections"].keys() == {article.section for article in load_articles()}
        assert set(words[language]["written_in"]) == {article.language for article in load_articles()}


def test_the_lead_is_in_english_and_other_languages_follow() -> None:
    lead, *others = [article for article in load_articles() if not article.is_brief]
    assert lead.language == "en"
    assert lead.is_ai_picture
    assert {article.language for article in others} == set(LANGUAGES)
    assert any(article.is_ai_text for article in others)


def test_slugs_are_unique_and_every_picture_is_there_with_words_for_those_who_do_not_see_it() -> None:
    articles = load_articles()
    assert len({article.slug for article in articles}) == len(articles)
    for article in articles:
        assert article.is_brief != bool(article.body)
        assert bool(article.picture) == bool(article.picture_alt)
        if article.picture:
            assert (data_dir("static") / "demo" / article.picture).is_file()


def test_no_picture_reaches_out_of_itself() -> None:
    for path in (data_dir("static") / "demo").glob("*.svg"):
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text
        assert "<script" not in text


def test_the_banner_names_the_link_of_the_footer() -> None:
    texts = tomllib.loads((CONTENT / "policy.toml").read_text())["texts"]
    assert {language: texts[language]["open"] for language in LANGUAGES} == {
        language: load_words()[language]["choice"] for language in LANGUAGES
    }


def test_policy_and_settings_are_ones_the_product_accepts() -> None:
    policy = parse_policy((CONTENT / "policy.toml").read_bytes(), format="toml")
    assert tuple(policy.languages) == LANGUAGES
    assert len(policy.purposes) == 1
    assert parse_settings((CONTENT / "site.toml").read_bytes(), format="toml").domain == "nouvelles.example"


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        ("http://127.0.0.1:8000", ("http://127.0.0.1:8000", "http://localhost:8000")),
        ("https://demo.example", ("https://demo.example", "http://127.0.0.1", "http://localhost")),
    ],
)
def test_the_origins_are_the_public_address_and_loopback(public_url: str, expected: tuple[str, ...]) -> None:
    assert origins(public_url) == expected


def test_content_lies_in_the_package() -> None:
    assert CONTENT == Path(CONTENT).resolve()
    assert CONTENT.parent.name == "demo"
