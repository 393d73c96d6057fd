"""The rules between a policy's keys."""

from typing import Any

import pytest

from consent_service.consent.texts import BANNER_KEYS
from tests.unit.consent.policy_files import policy_document, problems_of, read, warnings_of

OUTSIDE = {
    "id": "cloud",
    "name": "Nuage Inc.",
    "role": "processor",
    "address": "1 Main Street",
    "country": "US",
    "transfer": "",
    "policy_url": "",
}


def second_purpose(**changes: Any) -> dict[str, Any]:
    return {**policy_document()["purposes"][0], "id": "marketing", "measures": False, **changes}


def test_exactly_one_purpose_measures() -> None:
    document = policy_document()
    document["purposes"][0]["measures"] = False
    assert problems_of(document) == {"purposes": "needs exactly one purpose with measures = true; there is none"}
    document["purposes"] = [
        {**second_purpose(), "measures": True},
        {**second_purpose(id="other"), "measures": True},
    ]
    assert list(problems_of(document)) == ["purposes[1].measures"]


def test_children_are_asked_for_nothing() -> None:
    document = policy_document()
    document["audience"] = "children"
    assert list(problems_of(document)) == ["purposes[0]"]
    document["purposes"] = []
    assert read(document).measuring is None


def test_the_proof_of_a_consent_is_kept_as_long_as_the_events_it_allowed() -> None:
    document = policy_document()
    document["record_retention_days"] = 394
    assert problems_of(document) == {
        "record_retention_days": "must be at least 395, the retention_days of analytics: "
        "no event may outlive the proof of its consent"
    }
    document["record_retention_days"] = 395
    document["purposes"].append(second_purpose(retention_days=1095))
    assert read(document).record_retention_days == 395


def test_ids_are_used_once() -> None:
    document = policy_document()
    document["recipients"].append(dict(document["recipients"][0]))
    document["purposes"].append(second_purpose(id="choice"))
    document["languages"].append("fr")
    assert problems_of(document) == {
        "recipients[1].id": "repeats host",
        "purposes[1].id": "repeats choice",
        "languages[3]": "repeats fr",
    }


def test_a_language_beyond_the_policy_is_refused_in_every_text_table() -> None:
    document = policy_document()
    document["privacy"]["de"] = "Hallo"
    document["texts"]["de"] = {"title": "Hallo"}
    document["purposes"][0]["cookies"][0]["description"]["de"] = "Hallo"
    assert list(problems_of(document)) == ["privacy.de", "purposes[0].cookies[0].description.de", "texts.de"]


def test_a_material_change_is_explained_in_every_language() -> None:
    document = policy_document()
    document["material_purposes"] = ["analytics", "unknown"]
    document["material_reason"] = {"fr": "Un hébergeur de plus."}
    assert set(problems_of(document)) == {
        "material_purposes[1]",
        "material_reason.en",
        "material_reason.es",
    }


def test_a_recipient_outside_the_eea_needs_a_safeguard() -> None:
    document = policy_document()
    document["recipients"].append(dict(OUTSIDE))
    assert list(problems_of(document)) == ["recipients[1].transfer"]
    document["recipients"][1]["transfer"] = "Standard contractual clauses"
    assert warnings_of(document) == {"recipients[1].id": "is named by no purpose"}


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("body", "Nous mesurons.", "needs {policy}, the link to the policy, exactly once; it has it 0 times"),
        ("body", "{policy} {policy}", "needs {policy}, the link to the policy, exactly once; it has it 2 times"),
        ("title", "Lisez {policy}", "must not have {policy}; the link belongs to body"),
        ("open", "Rouvrir {open}", "must not have {open}, which is this very text"),
        (
            "title",
            "{nom}",
            "has the unknown placeholder {nom}; known are {policy}, {controller}, {open}, {purposes}",
        ),
        (
            "allow",
            "Autoriser {host}",
            "has the unknown placeholder {host}; known are {policy}, {controller}, {open}, {purposes}, {purpose}",
        ),
    ],
)
def test_placeholders_are_checked(key: str, text: str, message: str) -> None:
    document = policy_document()
    document["texts"]["fr"][key] = text
    assert problems_of(document) == {f"texts.fr.{key}": message}


def test_the_words_at_a_waiting_frame_may_name_its_host_and_purpose() -> None:
    document = policy_document()
    document["texts"]["fr"] |= {"blocked": "{host} attend « {purpose} ».", "allow": "Autoriser « {purpose} »"}
    assert read(document).texts["fr"].blocked == "{host} attend « {purpose} »."


def test_a_language_without_built_in_words_brings_all_of_them() -> None:
    document = policy_document()
    document["languages"] = ["fr", "eo"]
    replace_language(document, "en", None)
    replace_language(document, "es", "eo")
    assert set(problems_of(document)) == {f"texts.eo.{key}" for key in BANNER_KEYS}
    document["texts"]["eo"] = {key: f"vorto {key}" for key in BANNER_KEYS} | {"body": "Jen: {policy}"}
    assert read(document).languages == ("fr", "eo")


def test_a_controller_outside_the_eea_is_advised_to_have_a_representative() -> None:
    document = policy_document()
    document["controller"]["country"] = "CA"
    assert list(warnings_of(document)) == ["controller.representative"]


def replace_language(value: Any, before: str, after: str | None) -> None:
    """Rename a language in every text table, or take it out."""
    for item in list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        replace_language(item, before, after)
    if isinstance(value, dict) and before in value:
        text = value.pop(before)
        if after is not None:
            value[after] = text
