"""The hosted page says everything the law asks for, from the fields, in the reader's language."""

import json
import re
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from consent_service.consent.policy import Policy
from consent_service.consent.privacy import addition_html, privacy_page, render_privacy
from consent_service.consent.privacy_sections import Matter
from consent_service.consent.publication import PolicyVersion
from consent_service.consent.texts import built_in_languages, text_direction, words
from consent_service.sites.settings import SiteSettings
from tests.unit.consent.policy_files import policy, policy_document, read, settings

PUBLISHED = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
JOINT = {
    "name": "Le Soir Ensemble",
    "address": "3 place du Marché, 69001 Lyon",
    "country": "FR",
    "email": "contact@soir.example",
    "arrangement": "Chacun répond pour ses pages.",
}


def full() -> dict[str, Any]:
    """Give a policy that uses everything: joint controller, representative, transfer, a sold purpose, a cookie."""
    document = policy_document()
    document["controller"] |= {"representative": "Rep SARL, Bruxelles", "phone": "+33 1 23 45 67 89"}
    document["joint_controllers"] = [JOINT]
    document["recipients"].append(
        {
            "id": "cloud",
            "name": "Nuage Inc.",
            "role": "controller",
            "address": "1 Main Street",
            "country": "US",
            "transfer": "Clauses contractuelles types",
            "policy_url": "https://nuage.example/privacy",
        }
    )
    first = document["purposes"][0]
    cookie = {**first["cookies"][0], "name": "_nuage", "kind": "cookie", "host": "nuage.example", "days": 0}
    document["purposes"].append(
        {
            **first,
            "id": "ads",
            "title": {"fr": "Publicité", "en": "Advertising", "es": "Publicidad"},
            "measures": False,
            "sale_or_share": True,
            "retention_days": 90,
            "recipients": ["cloud"],
            "cookies": [cookie],
        }
    )
    return document


def page(language: str | None = "fr", *, document: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    site = SiteSettings.from_document({**settings().document(), **changes})
    return privacy_page("abcdefabcdef", site, published(read(document or full()), 3), language)


def published(what: Policy, version: int) -> PolicyVersion:
    return PolicyVersion(version, what, "5" * 64, version, version, PUBLISHED)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def text_of(section_id: str, language: str = "fr", **changes: Any) -> str:
    """Give the words of one section of the rendered page, or "" without it."""
    html = render_privacy(page(language, **changes))
    found = re.search(rf'<section id="{section_id}".*?</section>', html, re.DOTALL)
    parser = _Words()
    parser.feed(found.group() if found else "")
    return " ".join(" ".join(parser.words).split())


def test_the_controller_is_named_with_address_and_contact() -> None:
    text = text_of("controller")
    for item in ("Les Nouvelles du Matin", "12 rue des Archives, 75004 Paris", "France", "+33 1 23 45 67 89"):
        assert item in text
    assert 'href="mailto:vie-privee@nouvelles.example"' in render_privacy(page())


def test_the_data_protection_officer_is_named() -> None:
    assert "Délégué à la protection des données dpo@nouvelles.example" in text_of("controller")


def test_the_representative_is_named() -> None:
    assert "Rep SARL, Bruxelles" in text_of("controller")


def test_joint_controllers_are_named_with_their_arrangement() -> None:
    text = text_of("joint_controllers")
    assert "Le Soir Ensemble" in text
    assert "Chacun répond pour ses pages." in text
    assert text_of("joint_controllers", document=policy_document()) == ""


def test_each_purpose_is_told_with_its_legal_basis() -> None:
    text = text_of("purposes", "en")
    assert "Audience measurement" in text
    assert "Advertising" in text
    assert text.count("Your consent (Article 6(1)(a) GDPR)") == 2


def test_refusing_is_free_of_consequences_and_the_page_says_so() -> None:
    assert "You are free to refuse" in text_of("purposes", "en")


def test_the_data_collected_are_told_in_words() -> None:
    text = text_of("purposes", "en", document=policy_document())
    for group in policy().purposes[0].data:
        assert words("en", "data")[group] in text
    assert words("en", "data")["city"] not in text


def test_recipients_are_told_with_their_role() -> None:
    text = text_of("recipients")
    assert "Hébergeur Exemple SAS Rôle sous-traitant" in text
    assert "Nuage Inc. Rôle responsable du traitement distinct" in text


def test_a_transfer_is_told_with_its_safeguard() -> None:
    text = text_of("recipients")
    assert "États-Unis" in text
    assert "Clauses contractuelles types" in text
    assert "Aucun transfert" not in text.split("Nuage Inc.")[1]


def test_the_retention_of_events_is_the_sites_when_that_is_shorter() -> None:
    assert "395 days after" in text_of("retention", "en")
    assert "30 days after" in text_of("retention", "en", retention_days=30)
    assert "90 days after" in text_of("retention", "en", retention_days=30)


def test_the_retention_of_the_proof_is_told() -> None:
    assert "Proof of your consent: 1,095 days after the consent ended" in text_of("retention", "en")


def test_the_validity_of_a_choice_is_told() -> None:
    text = text_of("choice", "en")
    assert "valid for 180 days" in text
    assert "at least 180 days" in text


def test_withdrawing_at_any_time_as_easily_as_consenting_is_told() -> None:
    text = text_of("choice", "en")
    assert "withdraw your consent at any time, as easily as you gave it" in text
    assert "“Cookies and privacy”" in text


@pytest.mark.parametrize("article", [15, 16, 17, 18, 20, 21])
def test_each_right_is_told(article: int) -> None:
    assert f"(Article {article})" in text_of("rights", "en")


def test_the_right_to_withdraw_is_told_and_whom_to_write_to() -> None:
    text = text_of("rights", "en")
    assert "(Article 7(3))" in text
    assert "dpo@nouvelles.example" in text


def test_the_authority_is_named_for_a_complaint() -> None:
    assert "CNIL" in text_of("complaint")


def test_every_cookie_is_declared_the_exempt_ones_too() -> None:
    text = text_of("cookies", "en")
    assert "Memory of your choice (necessary, without consent)" in text
    assert "Audience measurement (only with your agreement)" in text
    assert "_nuage Cookie nuage.example until the browser closes" in text
    assert "Local storage this site 180 days" in text


def test_sale_and_sharing_are_stated_either_way() -> None:
    assert "Advertising" in text_of("sale", "en")
    assert "neither sold nor shared" in text_of("sale", "en", document=policy_document())


def test_the_privacy_signal_is_explained_as_the_site_honours_it() -> None:
    assert "counts as a refusal" in text_of("signal", "en")
    assert "you are still asked" in text_of("signal", "en", signals={"gpc": "ask"})
    assert text_of("signal", "en", signals={"gpc": "ignore"}) == ""


def test_counting_that_the_banner_was_shown_is_declared_when_it_is_on() -> None:
    assert text_of("coverage", "en") == ""
    assert "without an identifier" in text_of("coverage", "en", coverage_counts=True)


def test_the_version_and_its_day_are_told() -> None:
    assert "Version 3, publiée le 1 mars 2026" in text_of("version").replace("1er", "1")
    assert page()["published_at"] == "2026-03-01T09:30:00Z"


def test_every_language_is_linked_by_its_own_name() -> None:
    html = render_privacy(page())
    assert [each["name"] for each in page()["languages"]] == ["Français", "English", "Español"]
    assert '<a href="/privacy/abcdefabcdef?lang=es" lang="es" hreflang="es">Español</a>' in html
    assert html.count('aria-current="page"') == 1


def test_links_between_languages_stay_on_a_pinned_version() -> None:
    pinned = privacy_page("k", settings(), published(policy(), 2), "fr", is_pinned=True)
    assert (pinned["policy_version"], pinned["policy_hash"]) == (2, "5" * 64)
    assert pinned["languages"][1]["url"] == "/privacy/k/2?lang=en"


def test_the_choice_reopens_here_with_the_sites_script_and_on_the_site_without() -> None:
    with_script = render_privacy(page(), script_src="/c/abcdefabcdef.js")
    assert '<a class="open" href="https://nouvelles.example/" data-consent-open>' in with_script
    assert '<script defer src="/c/abcdefabcdef.js" data-lang="fr"></script>' in with_script
    without = render_privacy(page())
    assert "<script" not in without
    assert "data-consent-open" not in without
    assert '<a href="https://nouvelles.example/">Retourner sur nouvelles.example' in without


def test_a_policy_for_children_says_that_nothing_is_asked() -> None:
    document = policy_document() | {"audience": "children", "purposes": []}
    assert "asked for nothing" in text_of("purposes", "en", document=document)
    assert text_of("choice", "en", document=document) == ""


@pytest.mark.parametrize("language", ["fr", "en", "es"])
def test_headings_and_words_are_in_the_pages_language(language: str) -> None:
    found = page(language)
    labels = words(language, "privacy")
    assert [section["heading"] for section in found["sections"]] == [
        labels[section["id"]] for section in found["sections"]
    ]
    assert f'<html lang="{language}" dir="ltr">' in render_privacy(found)


@pytest.mark.parametrize("language", sorted(built_in_languages() - {"fr", "en", "es"}))
def test_the_page_is_whole_in_every_built_in_language(language: str) -> None:
    document = json.loads(json.dumps(policy_document()).replace('"fr"', f'"{language}"'))
    found = page(language, document=document)
    assert found["language"] == language
    assert found["title"] == words(language, "privacy")["title"]
    html = render_privacy(found)
    assert f'<html lang="{language}" dir="{text_direction(language)}">' in html
    assert "{" not in html


@pytest.mark.parametrize("language", sorted(built_in_languages()))
def test_numbers_of_days_are_written_in_words_of_every_built_in_language(language: str) -> None:
    matter = Matter(settings(), policy(), 1, PUBLISHED, language)
    for count in (30, 180, 395, 1095):
        written = matter.days(count)
        number = "".join(re.findall(r"\d", written))
        assert number == str(count)
        assert "duration" not in written
        assert re.search(r"[^\W\d]", written), written


def test_days_are_never_rounded_to_a_larger_unit() -> None:
    found = {
        language: Matter(settings(), policy(), 1, PUBLISHED, language).days(395)
        for language in ("en", "nl", "it", "pl", "ja", "zh-Hans")
    }
    assert found == {
        "en": "395 days",
        "nl": "395 dagen",
        "it": "395 giorni",
        "pl": "395 dni",
        "ja": "395 日",
        "zh-Hans": "395天",
    }


def test_a_language_without_built_in_words_is_written_in_english() -> None:
    assert words("eo", "privacy")["title"] == "Privacy policy"


def test_the_addition_comes_as_markdown_and_leaves_the_generated_parts_alone() -> None:
    assert "Nos sites" in text_of("addition")
    document = full()
    document["privacy"]["fr"] = "# Rien d'autre\nCe texte *remplace* tout."
    html = render_privacy(page(document=document))
    assert "<h2>Rien d'autre</h2>" in unescape(html)
    assert "<em>remplace</em>" in html
    assert "CNIL" in html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "![x](https://tracker.example/p.gif)",
        '[x](https://a.example" onmouseover="alert(1))',
        "<a href='data:text/html,x'>x</a>",
        "<style>*{display:none}</style>",
    ],
)
def test_the_addition_can_carry_no_script_image_or_style(hostile: str) -> None:
    html = addition_html(f"Bonjour\n\n{hostile}\n")
    assert "<p>Bonjour</p>" in html
    assert not re.search(r"<(script|img|style)|<[^>]*(javascript:|data:|onerror|onmouseover)", html)


def test_names_are_text_whatever_they_hold() -> None:
    document = full()
    document["controller"]["name"] = '<script>alert("1")</script>'
    html = render_privacy(page(document=document))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_the_page_has_no_inline_style_or_script() -> None:
    html = render_privacy(page(), script_src="/c/abcdefabcdef.js")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html)


def test_the_page_as_data_is_json_with_the_same_sections() -> None:
    found = page()
    assert found["policy_version"] == 3
    assert found["policy_hash"] == "5" * 64
    assert [section["id"] for section in found["sections"]] == [
        "controller", "joint_controllers", "purposes", "recipients", "retention", "choice", "rights",
        "complaint", "cookies", "sale", "signal", "addition", "version",
    ]  # fmt: skip
