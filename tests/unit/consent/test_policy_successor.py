"""A version that reaches further than the one before says so, and then visitors are asked again."""

from typing import Any

import pytest

from consent_service.consent.difference import describe, difference
from consent_service.consent.policy import Policy
from consent_service.consent.successor import MaterialChange, asks_refusers, check_successor, material_change
from tests.unit.consent.policy_files import policy, policy_document, read

COOKIE: dict[str, Any] = policy_document()["purposes"][0]["cookies"][0]
REASON = {"fr": "Une raison.", "en": "A reason.", "es": "Una razón."}


def changed(*, declared: tuple[str, ...] = (), recipient: dict[str, Any] | None = None, **purpose: Any) -> Policy:
    """Give the policy with changes of its purpose and of its recipient."""
    document = policy_document()
    document["purposes"][0].update(purpose)
    document["recipients"][0].update(recipient or {})
    if declared:
        document |= {"material_purposes": list(declared), "material_reason": REASON}
    return read(document)


def with_more(**lists: dict[str, Any]) -> dict[str, Any]:
    document = policy_document()
    for key, changes in lists.items():
        document[key].append({**document[key][0], **changes})
    return document


def messages(new: Policy) -> list[tuple[str, str]]:
    return [(problem.place, problem.message) for problem in check_successor(policy(), new)]


def test_a_first_version_has_nothing_to_declare() -> None:
    assert check_successor(None, policy()) == []


def test_the_same_content_is_refused() -> None:
    assert messages(policy()) == [("", "nothing changed since the version before")]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data": [*policy_document()["purposes"][0]["data"], "city"]}, "adds data (city)"),
        ({"retention_days": 396}, "lengthens retention_days to 396"),
        ({"sale_or_share": True}, "sets sale_or_share"),
        ({"recipient": {"name": "Un autre hébergeur"}}, "adds recipients (Un autre hébergeur)"),
        ({"recipient": {"country": "DE"}}, "adds recipients (Hébergeur Exemple SAS)"),
        ({"recipient": {"role": "controller"}}, "adds recipients (Hébergeur Exemple SAS)"),
        (
            {"cookies": [{**COOKIE, "days": COOKIE["days"] + 1}]},
            f"adds cookies, or keeps them longer ({COOKIE['name']})",
        ),
        ({"cookies": [COOKIE, {**COOKIE, "name": "_id"}]}, "adds cookies, or keeps them longer (_id)"),
        ({"cookies": [{**COOKIE, "host": "ads.example"}]}, f"adds cookies, or keeps them longer ({COOKIE['name']})"),
    ],
)
def test_reaching_further_must_be_declared(change: dict[str, Any], says: str) -> None:
    (problem, *_) = messages(changed(**change))
    assert problem == (
        "purposes.analytics",
        f"{says}: name analytics in material_purposes, so that visitors are asked",
    )
    assert messages(changed(declared=("analytics",), **change)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"data": ["page"]},
        {"retention_days": 30},
        {"recipients": []},
        {"cookies": []},
        {"recipient": {"address": "2 quai des Serveurs, 59000 Lille"}},
        {"description": {"fr": "Mieux dit.", "en": "Said better.", "es": "Mejor dicho."}},
    ],
)
def test_reaching_less_far_or_saying_it_better_asks_nobody(change: dict[str, Any]) -> None:
    new = changed(**change)
    assert messages(new) == []
    assert material_change(policy(), new) == MaterialChange(False, (), False)


def test_a_new_purpose_must_be_declared_and_asks_refusers_too() -> None:
    document = with_more(purposes={"id": "marketing", "measures": False})
    assert [place for place, _ in messages(read(document))] == ["purposes.marketing"]
    document |= {"material_purposes": ["marketing"], "material_reason": REASON}
    assert messages(read(document)) == []
    assert material_change(policy(), read(document)) == MaterialChange(True, ("marketing",), True)


def test_a_new_recipient_asks_refusers_too_and_more_data_does_not() -> None:
    recipient = changed(declared=("analytics",), recipient={"name": "Un autre"})
    assert material_change(policy(), recipient).reasks_refusals
    data = changed(declared=("analytics",), retention_days=400)
    assert material_change(policy(), data) == MaterialChange(True, ("analytics",), False)


def test_a_recipient_of_the_whole_must_be_declared_though_no_purpose_names_it() -> None:
    document = with_more(recipients={"id": "cloud", "name": "Nuage SAS"})
    assert [place for place, _ in messages(read(document))] == ["recipients"]
    document |= {"material_purposes": ["analytics"], "material_reason": REASON}
    assert messages(read(document)) == []


def test_another_measuring_purpose_and_a_new_joint_controller_must_be_declared() -> None:
    document = with_more(purposes={"id": "audience"})
    document["purposes"][0]["measures"] = False
    before = read(document)
    document["purposes"][0]["measures"], document["purposes"][1]["measures"] = True, False
    (problem,) = check_successor(before, read(document))
    assert problem.message.startswith("sets measures: name analytics")
    party = {"name": "Autre SA", "address": "1 rue B", "country": "FR", "email": "a@b.example", "arrangement": "…"}
    joint = {**policy_document(), "joint_controllers": [party]}
    assert [place for place, _ in messages(read(joint))] == ["joint_controllers"]
    declared = read({**joint, "material_purposes": ["analytics"], "material_reason": REASON})
    assert messages(declared) == []
    assert asks_refusers(policy(), declared) == ("analytics",)


def test_what_needed_consent_does_not_become_exempt_in_silence() -> None:
    document = policy_document()
    purpose = document["purposes"][0]
    stored = {**COOKIE, "name": "_measured"}
    purpose["cookies"] = [stored]
    before = read(document)
    document["exempt"].append({"id": "extra", "title": REASON, "description": REASON, "cookies": [stored]})
    (problem,) = check_successor(before, read(document))
    assert (problem.place, "makes _measured exempt" in problem.message) == ("exempt.extra", True)
    declared = {**document, "material_purposes": ["analytics"], "material_reason": REASON}
    assert check_successor(before, read(declared)) == []
    # What is exempt already may be declared by a purpose too, and stays what it was.
    both = with_more()
    both["exempt"][0]["cookies"] = [COOKIE]
    assert check_successor(read(both), read({**both, "valid_days": 90})) == []
    renamed = {**document["purposes"][0], "id": "audience"}
    gone = {**document, "purposes": [renamed], "material_purposes": ["audience"], "material_reason": REASON}
    gone["exempt"] = [*document["exempt"][:-1], {**document["exempt"][-1], "id": "analytics"}]
    assert ["exempt.analytics"] == [problem.place for problem in check_successor(before, read(gone))]


def test_a_declared_change_alone_is_a_change() -> None:
    assert messages(changed(declared=("analytics",))) == []


def test_the_difference_names_every_key_in_a_readable_line() -> None:
    document = with_more(recipients={"id": "cloud", "name": "Nuage SAS"})
    document["purposes"][0]["data"] = ["page", "city"]
    document["purposes"][0]["cookies"][0]["days"] = 90
    document["valid_days"] = 90
    del document["texts"]
    lines = describe(difference(policy(), read(document))).splitlines()
    assert "~ valid_days: 180 → 90" in lines
    assert '+ purposes.analytics.data: "city"' in lines
    assert '- purposes.analytics.data: "engagement"' in lines
    assert '+ recipients.cloud.name: "Nuage SAS"' in lines
    assert "~ purposes.analytics.cookies.consent-service (local_storage, first-party).days: 180 → 90" in lines
    assert any(line.startswith("- texts.fr.title: ") for line in lines)


def test_the_difference_of_a_policy_with_itself_is_empty_and_reads_both_ways() -> None:
    assert difference(policy(), policy()) == []
    there = difference(policy(), policy(valid_days=90))
    back = difference(policy(valid_days=90), policy())
    assert [change.document() for change in there] == [
        {"path": "valid_days", "kind": "changed", "before": 180, "after": 90}
    ]
    assert [(change.after, change.before) for change in back] == [(180, 90)]


def test_another_order_of_languages_is_a_change() -> None:
    (change,) = difference(policy(), policy(languages=["en", "fr", "es"]))
    assert str(change) == '~ languages: "fr", "en", "es" → "en", "fr", "es"'
