"""The demo's pages are what a careful customer's would be: tag, languages, marks, nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from consent_service.demo.pages import LANGUAGES, load_articles, load_words
from tests.integration.demo.conftest import Demo

PATHS = ["/demo/", "/demo/en/", "/demo/es/", "/demo/archives", "/demo/en/articles/pan-de-ayer", "/demo/es/nix"]
Tag = tuple[str, dict[str, str | None]]


class Tags(HTMLParser):
    """Collect every start tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Tag] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(demo: Demo, path: str) -> list[Tag]:
    return Tags(demo.client.get(path).text).found


@pytest.mark.parametrize("path", PATHS)
def test_a_page_embeds_the_tag_and_nothing_from_elsewhere(demo: Demo, path: str) -> None:
    answer = demo.client.get(path)
    key = demo.truth["site"]
    assert f'<script defer src="http://127.0.0.1:8123/c/{key}.js" referrerpolicy="origin"></script>' in answer.text
    assert answer.text.count("<script") == 1
    assert "Set-Cookie" not in answer.headers
    csp = answer.headers["Content-Security-Policy"]
    assert csp.startswith(
        "default-src 'none'; script-src 'self' http://127.0.0.1:8123; style-src 'self'; img-src 'self'"
    )
    assert "unsafe" not in csp
    sources = [attrs.get("src") or "" for tag, attrs in tags(demo, path) if tag == "img"]
    assert all(source.startswith("/demo/static/") for source in sources)
    assert "style=" not in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_every_address_on_a_page_leads_somewhere(demo: Demo, path: str) -> None:
    addresses = {
        attrs.get("href") or attrs.get("src") or "" for tag, attrs in tags(demo, path) if tag in ("a", "img", "link")
    }
    for address in addresses - {"#content"}:
        with demo.client.get(address) as answer:
            assert answer.status_code == 200, address


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_interface_has_a_language_and_articles_keep_theirs(demo: Demo, language: str) -> None:
    path = "/demo/" if language == "fr" else f"/demo/{language}/"
    found = tags(demo, path)
    assert ("html", {"lang": language}) in found
    headings = [attrs["lang"] for tag, attrs in found if tag in ("h2", "h3") and "lang" in attrs]
    assert headings[0] == "en"
    assert set(headings) == {"fr", "en", "es"}
    text = demo.client.get(path).text
    for other in set(LANGUAGES) - {language}:
        assert load_words()[language]["written_in"][other] in text
    assert load_words()[language]["ai_picture"] in text
    assert load_words()[language]["ai_text"] in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_foot_reopens_the_choice_and_leads_to_the_privacy_page(demo: Demo, language: str) -> None:
    text = demo.client.get("/demo/" if language == "fr" else f"/demo/{language}/").text
    label = load_words()[language]["choice"]
    assert re.search(rf"<button[^>]*data-consent-open[^>]*>{re.escape(label)}</button>", text)
    assert f'href="/privacy/{demo.truth["site"]}?lang={language}"' in text


def test_every_article_is_there_in_every_interface_language(demo: Demo) -> None:
    for article in load_articles():
        for language in LANGUAGES:
            prefix = "/demo" if language == "fr" else f"/demo/{language}"
            answer = demo.client.get(f"{prefix}/articles/{article.slug}")
            assert answer.status_code == 200
            assert f'<h1 lang="{article.language}">' in answer.text
            assert ("html", {"lang": language}) in Tags(answer.text).found


@pytest.mark.parametrize("path", PATHS)
def test_headings_descend_one_step_at_a_time_and_pictures_have_words(demo: Demo, path: str) -> None:
    found = tags(demo, path)
    levels = [int(tag[1]) for tag, _ in found if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    assert all(attrs.get("alt") for tag, attrs in found if tag == "img")
    assert [tag for tag, _ in found if tag in ("header", "main", "footer")].count("main") == 1


def test_an_unknown_page_is_a_404_in_its_language(demo: Demo) -> None:
    answer = demo.client.get("/demo/es/articles/nada")
    assert answer.status_code == 404
    assert load_words()["es"]["missing"] in answer.text
    assert demo.client.get("/demo/static/nix.css").status_code == 404
    assert demo.client.get("/demo/static/../consent.js").status_code == 404


def test_the_demo_site_comes_first(demo: Demo) -> None:
    assert demo.core.sites.all()[0].key == demo.truth["site"]
