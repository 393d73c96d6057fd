"""Who decided before is asked again for what changed alone, and told what it was and what it is now."""

from __future__ import annotations

from typing import Any

import pytest

from consent_service.consent.policy import Policy
from consent_service.consent.reasking import MOST_GROUPS, asked_again, asked_of, outgrown
from tests.unit.consent.policy_files import policy_document, read

LANGUAGES = ("fr", "en", "es")


def purpose(name: str, **changes: Any) -> dict[str, Any]:
    first = policy_document()["purposes"][0]
    titles = dict.fromkeys(LANGUAGES, name.title())
    return {**first, "id": name, "title": titles, "measures": name == "analytics", "cookies": [], **changes}


def version(*purposes: dict[str, Any], material: tuple[str, ...] = (), **changes: Any) -> Policy:
    reason = {language: f"{language}: {', '.join(material)}" for language in LANGUAGES} if material else {}
    document = {**policy_document(), "purposes": list(purposes), "material_purposes": list(material)}
    return read({**document, "material_reason": reason, **changes})


def again(policies: dict[int, Policy], language: str = "en") -> Any:
    return asked_again(policies, outgrown(policies), language, lambda each: each.retention_days)


BOTH = (purpose("analytics"), purpose("marketing"))
WIDER = purpose("marketing", data=["page", "city"], retention_days=396)
PLAIN: dict[int, Policy] = {1: version(*BOTH), 2: version(BOTH[0], WIDER, material=("marketing",))}


def test_without_a_material_change_nobody_is_asked() -> None:
    policies = {1: version(*BOTH), 2: version(*BOTH, valid_days=90)}
    assert again(policies) is None
    assert (outgrown(policies).material_version, outgrown(policies).refusal_material_version) == (1, 1)


def test_only_the_changed_purpose_is_outgrown() -> None:
    found = outgrown(PLAIN)
    assert found.grants == {"analytics": 1, "marketing": 2}
    assert found.refusals == {"analytics": 1, "marketing": 1}
    [group] = again(PLAIN)["granted"]
    assert (group["version"], group["purposes"], group["titles"]) == (1, ["marketing"], ["Marketing"])
    assert again(PLAIN)["refused"] == []


def test_the_difference_says_what_it_was_and_what_it_is_now() -> None:
    [group] = again(PLAIN)["granted"]
    assert group["reason"] == "en: marketing"
    [change] = group["changes"]
    assert (change["id"], change["title"]) == ("marketing", "Marketing")
    data, kept = change["lines"]
    assert data.startswith("What is collected. Before: pages viewed: address, title and time; the site")
    assert data.endswith(" → Now: pages viewed: address, title and time; city")
    assert (kept.count("395 days"), kept.count("396 days")) == (1, 1)
    assert kept.index("395") < kept.index("396")


def test_a_purpose_said_otherwise_and_another_recipient_are_shown_too() -> None:
    other = purpose("marketing", description=dict.fromkeys(LANGUAGES, "Said otherwise."))
    document = policy_document()
    moved = [{**document["recipients"][0], "country": "DE"}]
    [group] = again({1: version(*BOTH), 2: version(BOTH[0], other, material=("marketing",), recipients=moved)})[
        "granted"
    ]
    said, received = group["changes"][0]["lines"]
    assert said.endswith("Now: Said otherwise.")
    assert "(FR, processor) → Now: " in received
    assert received.endswith("(DE, processor)")


@pytest.mark.parametrize(("language", "word"), [("fr", "nouveau"), ("en", "new"), ("es", "nuevo")])
def test_a_new_purpose_is_told_as_a_whole_in_the_readers_language(language: str, word: str) -> None:
    policies = {1: version(BOTH[0]), 2: version(*BOTH, material=("marketing",))}
    found = again(policies, language)
    for group in (*found["granted"], *found["refused"]):
        [change] = group["changes"]
        assert change["title"] == f"Marketing · {word}"
        assert change["lines"][0] == policies[2].purposes[1].description[language]
    assert found["refused"][0]["purposes"] == ["marketing"]


def test_who_missed_two_changes_is_asked_for_both_and_a_refuser_for_what_is_new_alone() -> None:
    policies = {**PLAIN, 3: version(BOTH[0], WIDER, purpose("video"), material=("video",))}
    granted = {group["version"]: group["purposes"] for group in again(policies)["granted"]}
    assert granted == {2: ["video"], 1: ["marketing", "video"]}
    [refused] = again(policies)["refused"]
    assert (refused["version"], refused["purposes"], refused["reason"]) == (1, ["video"], "en: video")
    assert [change["id"] for change in refused["changes"]] == ["video"]
    assert again(policies)["granted"][1]["reason"] == "en: video en: marketing"


def test_what_is_no_longer_asked_for_asks_nobody() -> None:
    policies = {**PLAIN, 3: version(BOTH[0])}
    assert again(policies) is None
    assert outgrown(policies).material_version == 1


def test_a_choice_finds_its_group_and_one_that_stands_finds_none() -> None:
    config = {"asked_again": again(PLAIN), "material_version": 2, "refusal_material_version": 1}
    found = asked_of(config, 1, is_grant=True)
    assert found is not None
    assert found["purposes"] == ["marketing"]
    assert asked_of(config, 2, is_grant=True) is None
    assert asked_of(config, 1, is_grant=False) is None


def test_a_site_that_changes_often_carries_a_bounded_history() -> None:
    policies = {1: version(*BOTH)}
    for number in range(2, 40):
        policies[number] = version(BOTH[0], {**WIDER, "retention_days": 395 + number}, material=("marketing",))
    found = again(policies)["granted"]
    assert [group["version"] for group in found] == list(range(38, 38 - MOST_GROUPS, -1))
    config = {"asked_again": again(policies), "material_version": 39, "refusal_material_version": 1}
    assert asked_of(config, 1, is_grant=True) is None
