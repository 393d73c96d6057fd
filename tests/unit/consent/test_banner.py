"""The banner config says what is shown, and its hash names exactly that."""

import hashlib
import json
import re
from typing import Any

import pytest
from pydantic import ValidationError

from consent_service.consent.banner import banner_config, notice_document, resolve_language
from consent_service.consent.policy import Policy
from consent_service.consent.reasking import Outgrown
from consent_service.consent.texts import BANNER_KEYS, words
from consent_service.sites.settings import SiteSettings
from tests.unit.consent.policy_files import policy, policy_document, read, settings

KEY = "abcdefabcdef"


def config(
    language: str | None = "fr",
    *,
    shown: Policy | None = None,
    site: SiteSettings | None = None,
    version: int = 3,
    asked_again: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Give the banner config of the news site."""
    return banner_config(
        KEY,
        site or settings(),
        shown or policy(),
        version,
        language,
        policy_hash=(shown or policy()).content_hash(),
        since=Outgrown({purpose.id: 2 for purpose in (shown or policy()).purposes}, {}),
        asked_again=asked_again,
    )


def changed_site(**changes: Any) -> SiteSettings:
    return SiteSettings.from_document({**settings().document(), **changes})


def test_the_config_has_the_members_of_the_contract() -> None:
    found = config()
    assert set(found) == {
        "site", "language", "dir", "languages", "policy_version", "policy_hash", "banner_hash", "purposes", "exempt",
        "controller", "recipients", "texts", "policy_url", "valid_days", "refusal_days", "layout", "signals",
        "scope", "asked_again", "theme", "style", "logo_url", "after_withdrawal", "material_version",
        "refusal_material_version", "consent_mode", "uet", "blocking",
    }  # fmt: skip
    assert (found["site"], found["policy_version"], found["language"], found["dir"]) == (KEY, 3, "fr", "ltr")
    assert found["languages"] == ["fr", "en", "es"]
    assert found["policy_url"] == f"/privacy/{KEY}?lang=fr"
    assert found["controller"] == {"name": "Les Nouvelles du Matin"}
    assert found["recipients"] == [{"name": "Hébergeur Exemple SAS", "country": "FR"}]
    assert found["signals"] == {"gpc": "refuse"}
    assert found["scope"] == ["https://nouvelles.example", "https://www.nouvelles.example"]
    assert found["asked_again"] is None
    assert set(found["texts"]) == {*BANNER_KEYS, *words("fr", "preferences")}


def test_a_purpose_is_shown_in_the_language_with_what_it_stores() -> None:
    (purpose,) = config("es")["purposes"]
    assert purpose == {
        "id": "analytics",
        "title": "Medición de audiencia",
        "description": policy_document()["purposes"][0]["description"]["es"],
        "measures": True,
        "data": ["page", "source", "campaign", "device", "country", "engagement"],
        "recipients": ["Hébergeur Exemple SAS"],
        "collected": [words("es", "data")[group] for group in policy().purposes[0].data],
        "retention_days": 395,
        "material_version": 2,
        "kept": "Plazo de conservación: 395 días",
        "cookies": [
            {
                "name": "consent-service",
                "kind": "local_storage",
                "days": 180,
                "life": "180 días",
                "description": "La prueba firmada de su acuerdo.",
            }
        ],
    }
    (exempt,) = config("es")["exempt"]
    assert set(exempt) == {"id", "title", "description", "cookies"}


def test_a_site_shortens_what_its_policy_keeps_and_never_lengthens_it() -> None:
    assert config(site=changed_site(retention_days=30))["purposes"][0]["retention_days"] == 30
    assert config(site=changed_site(retention_days=1095))["purposes"][0]["retention_days"] == 395


def test_the_policys_words_come_before_the_built_in_ones_and_only_what_the_page_fills_is_left() -> None:
    texts = config("fr")["texts"]
    assert texts["title"] == "Votre choix sur la mesure d'audience"
    assert texts["body"].startswith("Les Nouvelles du Matin souhaite")
    assert f"« {texts['open']} »" in texts["body"]
    assert texts["body"].endswith("{policy}")
    assert texts["accept"] == "Accepter"
    built_in = config("en")["texts"]
    assert "Les Nouvelles du Matin" in built_in["body"]
    assert "Audience measurement" in built_in["body"]
    left = {key: re.findall(r"\{\w*\}", text) for key, text in built_in.items()}
    assert {key: found for key, found in left.items() if found} == {
        "body": ["{policy}"],
        # What only the page knows, or writes in its own way.
        "retention": ["{days}"],
        "blocked": ["{host}", "{purpose}"],
        "allow": ["{purpose}"],
    }


def test_the_label_that_reopens_may_name_the_controller() -> None:
    document = policy_document()
    document["texts"]["fr"]["open"] = "Mes choix – {controller}"
    texts = config(shown=read(document))["texts"]
    assert texts["open"] == "Mes choix – Les Nouvelles du Matin"
    assert "« Mes choix – Les Nouvelles du Matin »" in texts["body"]


def test_an_unknown_language_falls_back_and_a_region_to_its_language() -> None:
    assert config("xx") == config("fr") == config(None)
    assert resolve_language(policy(), "en-GB") == "en"


def test_a_right_to_left_language_says_so() -> None:
    document = json.loads(json.dumps(policy_document()).replace('"es"', '"ar"'))
    document["texts"]["ar"] = {key: f"نص {key}" for key in BANNER_KEYS} | {"body": "نص {policy}"}
    found = config("ar", shown=read(document))
    assert (found["language"], found["dir"]) == ("ar", "rtl")


def test_the_hash_is_that_of_the_kept_document_and_the_document_says_what_was_shown() -> None:
    found = config()
    kept = notice_document(found)
    assert hashlib.sha256(kept).hexdigest() == found["banner_hash"]
    assert json.loads(kept)["texts"] == found["texts"]
    assert notice_document(json.loads(json.dumps(found))) == kept


def test_what_a_site_does_not_use_is_no_part_of_its_config() -> None:
    plain = config(site=changed_site(consent_mode={}, uet={}, blocking=[]))
    wired = config(
        site=changed_site(
            consent_mode={"analytics": ["analytics_storage", "ad_storage"]},
            consent_mode_regions=["FR", "US-CA"],
            uet={"analytics": ["ad_storage"]},
            clarity={"analytics": ["analytics_storage"]},
            blocking=[{"purpose": "analytics", "host": "*.stats.example"}],
        )
    )
    assert {key: wired[key] for key in wired if key not in plain} == {
        "consent_mode": {"analytics": ["analytics_storage", "ad_storage"]},
        "consent_mode_regions": ["FR", "US-CA"],
        "uet": {"analytics": ["ad_storage"]},
        "clarity": {"analytics": ["analytics_storage"]},
        "blocking": [{"purpose": "analytics", "host": "*.stats.example"}],
    }
    assert {"theme", "logo_url", "after_withdrawal", "asked_again"} <= set(plain)
    json.dumps(wired)


def test_both_themes_have_their_pair_of_button_colours() -> None:
    light, dark = "--button:#0842a0;--label:#ffffff", "--button:#94add7;--label:#111111"
    style = config(site=changed_site(banner={}))["style"]
    assert style.startswith(f":host{{{light}}}@media(prefers-color-scheme:dark){{:host{{{dark}}}}}")
    for theme, chosen, other in (("light", light, dark), ("dark", dark, light)):
        style = config(site=changed_site(banner={"theme": theme}))["style"]
        assert style.startswith(f":host{{color-scheme:{theme}!important;{chosen}}}")
        assert other not in style


def test_only_the_layout_in_use_travels() -> None:
    bar, corner = (config(site=changed_site(banner={"layout": layout}))["style"] for layout in ("bar", "corner"))
    assert ".bar" in bar
    assert ".bar" not in corner
    assert ".corner" in corner


def test_a_logo_stands_in_the_style_and_cannot_end_it() -> None:
    assert "url(" not in config(site=changed_site(banner={}))["style"]
    url = "https://x.example/a(1).png?v=2&w=é);}*{color:red}"
    assert (
        f'background:url("{url}") 0 / contain no-repeat' in config(site=changed_site(banner={"logo_url": url}))["style"]
    )
    for end in ('"', "\\", "\n"):
        with pytest.raises(ValidationError, match="logo_url"):
            changed_site(banner={"logo_url": f"https://x.example/a{end}b"})


BANNER = {"layout": "corner", "theme": "dark", "logo_url": "https://x.example/a.png", "colors": {"accent": "#000000"}}


@pytest.mark.parametrize(
    "other",
    [
        config("en"),
        config(version=4),
        config(asked_again={"reason": "Parce que.", "purposes": ["analytics"], "granted": [], "refused": []}),
        config(site=changed_site(coverage_counts=True)),
        config(shown=policy(valid_days=179)),
        config(shown=policy(refusal_days=181)),
        config(site=changed_site(retention_days=30)),
        config(site=changed_site(signals={"gpc": "ask"})),
        config(site=changed_site(after_withdrawal="reload")),
        config(site=changed_site(consent_mode={})),
        config(site=changed_site(consent_mode_regions=["FR"])),
        config(site=changed_site(uet={})),
        config(site=changed_site(clarity={"analytics": ["ad_storage"]})),
        config(site=changed_site(blocking=[])),
        *(config(site=changed_site(banner={key: value})) for key, value in BANNER.items()),
    ],
)
def test_two_different_screens_never_share_a_hash(other: dict[str, Any]) -> None:
    assert other["banner_hash"] != config()["banner_hash"]


def test_who_may_decide_is_no_part_of_the_hash() -> None:
    other = config(site=changed_site(origins=["https://new.example"]))
    assert other["scope"] == ["https://new.example"]
    assert other["banner_hash"] == config()["banner_hash"]
