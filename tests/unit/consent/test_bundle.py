"""A site's bundle carries what the first layer needs, under the names of the banner config, and nothing more."""

import json
from hashlib import sha256
from typing import Any

import brotli
import pytest

from consent_service.consent.banner import banner_config
from consent_service.consent.bundle import bundle_config, write_bundle
from consent_service.consent.policy import Policy
from consent_service.consent.reasking import Outgrown
from consent_service.consent.scripts import Part
from consent_service.resources import data_dir
from consent_service.sites.settings import SiteSettings
from tests.unit.consent.policy_files import policy, policy_document, read, settings

KEY = "abcdefabcdef"
SCRIPT = "0123456789abcdef" * 4
AGAIN: dict[str, Any] = {"reason": "Parce que.", "purposes": ["ads"], "granted": [], "refused": []}
PLAIN: dict[str, Any] = {"consent_mode": {}, "uet": {}, "blocking": []}


def banners(shown: Policy | None = None, *, material: int = 1, again: Any = None, **changes: Any) -> dict[str, Any]:
    """Give every banner of the news site, which uses no other tool unless `changes` say so."""
    site = SiteSettings.from_document({**settings().document(), **PLAIN, **changes})
    used = shown or policy()
    since = Outgrown({purpose.id: material for purpose in used.purposes}, {})
    return {
        language: banner_config(
            KEY, site, used, 3, language, policy_hash=used.content_hash(), since=since, asked_again=again
        )
        for language in used.languages
    }


def two_purposes() -> Policy:
    document = policy_document()
    cookie = {**document["purposes"][0]["cookies"][0], "name": "_ads", "kind": "cookie"}
    other = {**document["purposes"][0], "id": "ads", "measures": False, "cookies": [cookie]}
    return read({**document, "purposes": [*document["purposes"], other]})


def test_a_plain_site_carries_only_what_its_first_layer_needs() -> None:
    configs = banners()
    found = bundle_config(configs, "fr")
    french = configs["fr"]
    common, spoken, default_language = found
    assert default_language == "fr"
    assert common == {
        "site": KEY,
        "policy_version": 3,
        "style": french["style"],
        "purposes": [
            {
                "id": "analytics",
                "measures": True,
                "data": ["page", "source", "device", "engagement"],
            }
        ],
    }
    assert list(spoken) == ["fr", "en", "es"]
    assert spoken["fr"] == {
        "banner_hash": french["banner_hash"][:16],
        "texts": {key: french["texts"][key] for key in "title body accept refuse policy open saved failed".split()},
    }


def test_every_member_says_what_the_banner_config_says() -> None:
    configs = banners(two_purposes(), material=2, again=AGAIN, clarity={
        "ads": ["ad_storage"]}, banner={"layout": "corner", "theme": "dark", "logo_url": "https://x.example/l.png"},
        after_withdrawal="reload",
    )  # fmt: skip
    common, by_language, _ = bundle_config(configs, "fr")
    for language, spoken in by_language.items():
        whole = configs[language]
        flat = {**common, **spoken}
        for key in flat.keys() - {"texts", "purposes", "exempt"}:
            said = whole[key][:16] if key == "banner_hash" else whole[key]
            assert flat[key] == said, key
        assert flat["texts"].items() <= whole["texts"].items()
        assert [purpose["id"] for purpose in flat["purposes"]] == [purpose["id"] for purpose in whole["purposes"]]
    assert set(common) >= {"layout", "style", "after_withdrawal", "material_version", "clarity"}
    assert by_language["es"]["asked_again"] == AGAIN


def test_only_the_measuring_purpose_says_what_is_collected() -> None:
    first, second = bundle_config(banners(two_purposes()), "fr")[0]["purposes"]
    assert first["measures"] is True
    assert second == {"id": "ads", "cookies": [{"name": "_ads", "kind": "cookie"}]}


def test_words_that_no_first_layer_of_the_site_shows_stay_behind() -> None:
    texts = bundle_config(banners(two_purposes(), signals={"gpc": "ask"}), "fr")[1]["fr"]["texts"]
    assert "customize" in texts
    assert texts.keys().isdisjoint({"signal", "save", "blocked", "allow", "always", "retention"})


def test_a_right_to_left_language_says_so() -> None:
    document = json.loads(json.dumps(policy_document()).replace('"es"', '"ar"'))
    found = bundle_config(banners(read(document)), "fr")[1]
    assert found["ar"]["dir"] == "rtl"
    assert "dir" not in found["fr"]


def test_what_an_exempt_purpose_declares_too_is_not_told_as_to_be_deleted() -> None:
    document = policy_document()
    cookie = {"name": "consent-service", "kind": "local_storage"}
    document["exempt"][0]["cookies"] = []
    [purpose] = bundle_config(banners(read(document)), "fr")[0]["purposes"]
    assert purpose["cookies"] == [cookie]
    [purpose] = bundle_config(banners(), "fr")[0]["purposes"]
    assert "cookies" not in purpose


def test_tags_that_their_first_part_would_lead_astray_are_told() -> None:
    document = json.loads(json.dumps(policy_document()).replace('"es"', '"zh-Hant"').replace('"en"', '"zh-Hans"'))
    found = bundle_config(banners(read(document)), "fr")[3]
    assert found == {
        "zh-hans": "zh-Hans",
        "zh-hant": "zh-Hant",
        "zh": "zh-Hans",
        "zh-hk": "zh-Hant",
        "zh-mo": "zh-Hant",
        "zh-tw": "zh-Hant",
    }
    assert len(bundle_config(banners(), "fr")) == 3


PARTS = {part: f"{part.upper()}();".encode() for part in Part}
WIRED: list[dict[str, Any]] = [
    {"consent_mode": {"analytics": ["analytics_storage"]}},
    {"uet": {"analytics": ["ad_storage"]}},
    {"clarity": {"analytics": ["ad_storage"]}},
    {"blocking": [{"purpose": "analytics", "host": "*.stats.example"}]},
]


@pytest.mark.parametrize("wired", WIRED)
def test_the_part_for_other_tools_joins_where_the_site_uses_it(wired: dict[str, Any]) -> None:
    body = write_bundle(banners(**wired), "fr", core=b"CORE();", parts=PARTS, script=SCRIPT)
    assert body.endswith(b";\nSIGNALS();CORE();}\n")
    assert json.dumps(next(iter(wired.values())), separators=(",", ":")).encode() in body


def test_the_parts_that_ask_again_and_count_join_only_where_they_are_wanted() -> None:
    again = write_bundle(banners(material=2, again=AGAIN), "fr", core=b"CORE();", parts=PARTS, script=SCRIPT)
    assert again.endswith(b";\nAGAIN();CORE();}\n")
    assert b'"id":"analytics","material_version":2' in again
    counted = write_bundle(banners(coverage_counts=True), "fr", core=b"CORE();", parts=PARTS, script=SCRIPT)
    assert counted.endswith(b";\nCOVERAGE();CORE();}\n")
    assert b'"coverage":true' in counted


def test_a_plain_site_gets_no_part_for_other_tools() -> None:
    body = write_bundle(banners(consent_mode_regions=["FR"]), "fr", core=b"CORE();", parts=PARTS, script=SCRIPT)
    assert body.endswith(b";\nCORE();}\n")
    assert body.startswith(b'{let $hooks=[],$config=[{"site":"abcdefabcdef",')


def test_no_text_of_a_policy_breaks_out_of_the_script() -> None:
    document = policy_document()
    title = "\u2028\u2029</script>\"'`$1\\"
    document["texts"]["fr"]["title"] = title
    body = write_bundle(banners(read(document)), "fr", core=b"", parts=dict.fromkeys(Part, b""), script=SCRIPT).decode()
    assert "\u2028" not in body
    assert "\u2029" not in body
    written = body.removeprefix("{let $hooks=[],$config=").removesuffix(";\n}\n")
    assert json.loads(written)[1]["fr"]["texts"]["title"] == title


def in_french(value: Any) -> Any:
    """Leave the French words alone of what is said in several languages."""
    if isinstance(value, dict):
        return (
            {"fr": value["fr"]}
            if value.keys() >= {"fr", "en"}
            else {key: in_french(each) for key, each in value.items()}
        )
    return [in_french(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(5))
def test_a_french_site_with_one_purpose_stays_within_its_budget(seed: int) -> None:
    document = {**in_french(policy_document()), "languages": ["fr"]}
    # Which digits the hash has moves the size by some twenty bytes.
    document["purposes"][0]["retention_days"] -= seed
    built = {part: (data_dir("static") / f"consent.{part}.js").read_bytes() for part in ("core", "signals", "more")}
    body = write_bundle(
        banners(read(document)),
        "fr",
        core=built["core"],
        parts=dict.fromkeys(Part, built["signals"]),
        script=sha256(built["core"]).hexdigest(),
    )
    bundle, on_demand = (len(brotli.compress(each, quality=11)) for each in (body, built["more"]))
    assert bundle <= 6_500
    assert bundle + on_demand <= 10_000
