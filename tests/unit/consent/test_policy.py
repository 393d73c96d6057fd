"""Policy files are read to the key; whatever is wrong is told at once, each with its line."""

import json
from typing import Any

import pytest

from consent_service.consent.policy import Policy, PolicyError, parse_policy, policy_warnings
from consent_service.documents import MAX_FILE_BYTES
from tests.unit.consent.policy_files import (
    POLICY,
    edited,
    line_of,
    policy,
    policy_document,
    problems,
    problems_of,
    read,
)


def test_the_news_site_policy_is_read_to_the_key() -> None:
    parsed = parse_policy(POLICY, format="toml")
    assert parsed.languages == ("fr", "en", "es")
    assert parsed.measuring is not None
    assert parsed.measuring.id == "analytics"
    assert parsed.measuring.retention_days == 395
    assert [str(group) for group in parsed.measuring.data] == [
        "page",
        "source",
        "campaign",
        "device",
        "country",
        "engagement",
    ]
    assert parsed.exempt[0].cookies[0].days == 180
    assert parsed.recipient("host").country == "FR"
    assert policy_warnings(POLICY, format="toml") == []


def test_json_of_the_same_values_is_the_same_policy() -> None:
    assert read(policy_document()) == parse_policy(POLICY, format="toml")
    assert read(policy_document()).content_hash() == parse_policy(POLICY, format="toml").content_hash()


def test_bytes_crlf_and_a_byte_order_mark_change_nothing() -> None:
    text = b"\xef\xbb\xbf" + POLICY.replace("\n", "\r\n").encode()
    assert parse_policy(text, format="toml") == parse_policy(POLICY, format="toml")


def test_a_document_read_back_is_the_same_policy_with_the_same_hash() -> None:
    parsed = policy()
    again = Policy.from_document(json.loads(json.dumps(parsed.document())))
    assert again == parsed
    assert again.content_hash() == parsed.content_hash()


def test_the_hash_changes_with_any_word_and_not_with_the_order_of_keys() -> None:
    assert policy(valid_days=179).content_hash() != policy().content_hash()
    turned = dict(reversed(policy_document().items()))
    assert read(turned).content_hash() == policy().content_hash()


def test_every_problem_is_told_at_once_with_its_line() -> None:
    text = edited(
        ('audience = "general"', 'audiance = "general"'),
        ("valid_days = 180", "valid_days = 396"),
        ("refusal_days = 180", "refusal_days = 179"),
        ('email = "vie-privee@nouvelles.example"', 'email = "nobody"'),
        ('es = "Memoria de su elección"', ""),
        ("measures = true ", 'measures = "yes" '),
        ('recipients = ["host"]', 'recipients = ["nobody"]'),
        ('"engagement"]', '"thoughts"]'),
    )
    found = {(problem.line, problem.place) for problem in problems(text)}
    assert found == {
        (line_of(text, "audiance"), "audiance"),
        (line_of(text, "valid_days"), "valid_days"),
        (line_of(text, "refusal_days"), "refusal_days"),
        (line_of(text, "email"), "controller.email"),
        (line_of(text, "[exempt.title]"), "exempt[0].title.es"),
        (line_of(text, "measures"), "purposes[0].measures"),
        (line_of(text, "recipients = ["), "purposes[0].recipients[0]"),
        (line_of(text, "data"), "purposes[0].data[5]"),
    }


def test_the_error_as_text_has_one_line_a_problem_in_the_order_of_the_file() -> None:
    text = edited(("valid_days = 180", "valid_days = 0"), ('country = "FR"', 'country = "Frankreich"'))
    with pytest.raises(PolicyError) as refused:
        parse_policy(text, format="toml")
    assert str(refused.value).splitlines() == [
        f"line {line_of(text, 'valid_days')}: valid_days: must be at least 1",
        f"line {line_of(text, 'country')}: controller.country: is not a country code such as FR (ISO 3166)",
    ]


@pytest.mark.parametrize("key", [key for key in policy_document() if key not in {"texts", "privacy"}])
def test_a_missing_key_is_told_or_has_a_default_that_means_nothing(key: str) -> None:
    document = policy_document()
    del document[key]
    optional = {"audience", "material_purposes", "material_reason", "exempt"}
    if key in optional:
        assert read(document)
    else:
        place = "purposes[0].recipients[0]" if key == "recipients" else key
        assert place in problems_of(document)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("valid_days",), 180.0, "must be a whole number"),
        (("valid_days",), "180", "must be a whole number"),
        (("valid_days",), True, "must be a whole number"),
        (("record_retention_days",), 0, "must be at least 1"),
        (("record_retention_days",), 10**400, "must be a whole number"),
        (("languages",), "fr", "must be a list"),
        (("languages", 0), "French", "is not a language tag such as fr or pt-BR"),
        (("default_language",), "it", "is not one of the policy's languages"),
        (("jurisdiction",), "Paris", "is not a jurisdiction such as FR, US-CA or EU"),
        (("controller",), [], "must be a table"),
        (("controller", "name"), " ", "must not be empty"),
        (("controller", "name"), "{policy}", "must not have { or }"),
        (("controller", "country"), "UK", "is not a country code such as FR (ISO 3166)"),
        (("recipients", 0, "role"), "friend", "must be 'processor', 'controller' or 'joint_controller'"),
        (("recipients", 0, "policy_url"), "http://x.example", "must be an https URL, or empty"),
        (("recipients", 0, "policy_url"), "https://a@x.example", "must be an https URL, or empty"),
        (("purposes", 0, "basis"), "legitimate_interest", "must be 'consent'"),
        (("purposes", 0, "retention_days"), 1096, "must be at most 1095"),
        (("purposes", 0, "data"), [], "needs at least 1"),
        (("purposes", 0, "title", "fr"), "x" * 4001, "is longer than 4000 characters"),
        (("purposes", 0, "title", "fr"), "a\x00b", "holds the character U+0000, which cannot be shown"),
        (("purposes", 0, "cookies", 0, "kind"), "etag", "must be 'cookie' or 'local_storage'"),
        (("purposes", 0, "cookies", 0, "days"), -1, "must be at least 0"),
        (("exempt", 0, "id"), "Choice!", "must be 1 to 40 of a-z, 0-9, - and _, beginning with a letter"),
    ],
)
def test_a_wrong_value_is_refused_with_its_mend(path: tuple[Any, ...], value: Any, message: str) -> None:
    document: Any = policy_document()
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
    found = problems_of(document)
    assert found[place] == message or message == "must be a whole number" and place in found


@pytest.mark.parametrize(
    ("text", "format", "line", "message"),
    [
        ('languages = ["fr"]\nlanguages = ["en"]\n', "toml", 2, "is not TOML: Cannot overwrite a value"),
        ("name = \n", "toml", 1, "is not TOML: Invalid value"),
        ('{"languages": [}', "json", 1, "is not JSON: Expecting value"),
        ("[]", "json", 1, "must be a table of keys"),
        ('{"a": NaN}', "json", None, "is not JSON: NaN is not a JSON number"),
        (b'name = "\xff"', "toml", 1, "is not UTF-8 text"),
        ("[" * 5000 + "]" * 5000, "json", None, "is not JSON: it is nested too deeply"),
        ("a" + ".a" * 20 + " = 1", "toml", 1, "is nested more than 8 levels deep"),
    ],
)
def test_what_is_no_document_at_all_is_one_problem(
    text: str | bytes, format: str, line: int | None, message: str
) -> None:
    (problem,) = problems(text, format)
    assert (problem.line, problem.message) == (line, message)


def test_a_key_given_twice_in_json_is_refused() -> None:
    text = json.dumps(policy_document(), indent=1).replace('"valid_days"', '"valid_days": 10,\n "valid_days"')
    (problem,) = problems(text, "json")
    assert (problem.place, problem.message) == ("valid_days", "is given twice")


def test_a_lone_surrogate_in_json_is_refused_and_never_hashed() -> None:
    text = json.dumps(policy_document()).replace("12 rue", "\\ud800 rue")
    (problem,) = problems(text, "json")
    assert problem.place == "controller.address"


def test_a_date_is_refused_where_text_is_meant() -> None:
    text = edited(('phone = ""', "phone = 2026-01-01"))
    (problem,) = problems(text)
    assert (problem.place, problem.line) == ("controller.phone", line_of(text, "phone"))


def test_a_file_over_its_size_is_refused_unread() -> None:
    (problem,) = problems(POLICY + "#" * MAX_FILE_BYTES)
    assert problem.message == "is larger than 256 kB"


def test_lists_have_their_bounds() -> None:
    document = policy_document()
    second = {**document["purposes"][0], "measures": False}
    document["purposes"] += [{**second, "id": f"p{number}"} for number in range(20)]
    assert problems_of(document) == {"purposes": "has more than 20 entries"}


def test_warnings_have_their_line_and_refuse_nothing() -> None:
    text = edited(("{controller} souhaite", "Nous souhaitons"), ("\ndays = 180", "\ndays = 400"))
    found = policy_warnings(text, format="toml")
    assert [(problem.place, problem.line) for problem in found] == [
        ("exempt[0].cookies[0].days", line_of(text, "days")),
        ("texts.fr.body", line_of(text, "body")),
    ]
    assert parse_policy(text, format="toml").exempt[0].cookies[0].days == 400
