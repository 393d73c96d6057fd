"""Hostile events are refused or dropped with the contract's code, and what is kept can be stored."""

from collections.abc import Callable
from typing import Any

import pytest

from consent_service.config import Config
from consent_service.core import Core
from tests.integration.api.hostile import (
    FORGED,
    INVALID,
    complaints,
    envelope_faults,
    kept,
    with_members,
    without,
)
from tests.integration.conftest import DATABASES
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor


@pytest.fixture
def count(core: Core, config: Config) -> Callable[[], list[int]]:
    return lambda: kept(core, config)


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_hostile_events(visitor: Visitor, count: Callable[[], list[int]]) -> None:
    visitor.accept()
    events = [visitor.event("/a")]
    good = {"site": visitor.site_key, "token": visitor.token, "events": events}
    invalid_token = (403, "token_invalid")
    faults = envelope_faults(good) | {
        "no site": without(good, "site"),
        "no events": without(good, "events"),
        "an unknown site": with_members(good, 404, "not_found", site="nosuchsite12"),
        "events that are a table": with_members(good, *INVALID, events={"0": {}}),
        "an empty list of events": with_members(good, *INVALID, events=[]),
        "51 events": with_members(good, *INVALID, events=[{}] * 51),
        "no token": without(good, "token", status=403, code="token_missing"),
        "a null token": with_members(good, 403, "token_missing", token=None),
        "an empty token": with_members(good, 403, "token_missing", token=""),
        "a token that is a table": with_members(good, *INVALID, token={}),
        "a forged token": with_members(good, *invalid_token, token=FORGED),
        "a token of 10 kB": with_members(good, *invalid_token, token="x" * 10_000),
        "a token beyond ASCII": with_members(good, *invalid_token, token=f"{visitor.token}é"),
        "a token with a line end": with_members(good, *invalid_token, token=f"{visitor.token}\n"),
    }
    assert complaints(visitor.client, "/v1/events", faults, {"Origin": visitor.origin}, count) == []
    refused = {
        "no origin": ({}, "wrong_origin"),
        "the null origin": ({"Origin": "null"}, "wrong_origin"),
        "a foreign origin": ({"Origin": "https://evil.example"}, "wrong_origin"),
        "a longer origin": ({"Origin": f"{visitor.origin}.evil.example"}, "wrong_origin"),
        "an origin beyond ASCII": ({"Origin": "https://nouvellés.example"}, "wrong_origin"),
        "a bearer beyond ASCII": ({"Origin": visitor.origin, "Authorization": "Bearer é"}, "token_invalid"),
        "a bearer of 10 kB": ({"Origin": visitor.origin, "Authorization": "Bearer " + "x" * 10_000}, "token_invalid"),
    }
    for name, (headers, code) in refused.items():
        fault = {name: with_members(good, 403, code)}
        assert complaints(visitor.client, "/v1/events", fault, headers, count) == []
    assert visitor.send(*events).get_json() == {"accepted": 1, "dropped": []}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "x"}, "invalid_event"),
        ({"id": None}, "invalid_event"),
        ({"id": 5}, "invalid_event"),
        ({"name": ""}, "invalid_event"),
        ({"name": " "}, "invalid_event"),
        ({"name": "n" * 121}, "invalid_event"),
        ({"name": ["pageview"]}, "invalid_event"),
        ({"age_ms": "0"}, "invalid_event"),
        ({"age_ms": -1}, "invalid_event"),
        ({"age_ms": True}, "invalid_event"),
        ({"age_ms": 1e308}, "too_old"),
        ({"age_ms": 10**30}, "too_old"),
        ({"url": None}, "invalid_url"),
        ({"url": 5}, "invalid_url"),
        ({"url": ""}, "invalid_url"),
        ({"url": "/path"}, "invalid_url"),
        ({"url": "javascript:alert(1)"}, "invalid_url"),
        ({"url": "https://"}, "invalid_url"),
        ({"url": "https://["}, "invalid_url"),
        ({"url": "https://[::1"}, "invalid_url"),
        ({"url": "https://nouvelles.example:port/"}, "invalid_url"),
        ({"url": "https://nouvelles.example:99999/"}, "invalid_url"),
        ({"url": "https://nouvelles.example/" + "a" * 2000}, "invalid_url"),
        ({"url": "https://evil.example/"}, "foreign_host"),
        ({"url": "https://nouvelles.example@evil.example/"}, "foreign_host"),
        ({"url": "https://nouvelles.example/admin/x"}, "excluded_path"),
        ({"props": "x"}, "invalid_event"),
        ({"props": {f"p{n}": 1 for n in range(31)}}, "too_many_props"),
        ({"props": {"p" * 301: 1}}, "invalid_event"),
        ({"props": {"a": {"b": 1}}}, "invalid_event"),
        ({"revenue": 5}, "invalid_event"),
        ({"revenue": {"amount": "NaN", "currency": "EUR"}}, "invalid_event"),
        ({"revenue": {"amount": "1E+999999999", "currency": "EUR"}}, "invalid_event"),
        ({"revenue": {"amount": "1", "currency": "euro"}}, "invalid_event"),
        ({"x": [[[[[[[[[[1]]]]]]]]]]}, "invalid_event"),
    ],
)
def test_a_fault_inside_one_event_drops_it_alone(
    visitor: Visitor, keeper: KeeperInHand, changes: dict[str, Any], reason: str
) -> None:
    visitor.accept()
    response = visitor.send(visitor.event("/good"), visitor.event("/bad", **changes), visitor.event("/also"))
    assert response.status_code == 202
    assert response.get_json() == {"accepted": 2, "dropped": [{"index": 1, "reason": reason}]}
    assert keeper.turn() == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://nouvelles.example/?" + "a&" * 900},
        {"url": "https://nouvelles.example/?page=%ff%00%fe&utm_source=%00&utm_medium=%ff"},
        {"url": "https://nouvelles.example/%00%ff/é/🍪"},
        {"url": "https://nouvelles.example:0/"},
        {"url": "https://NOUVELLES.example/?page=1&page=2"},
        {"referrer": "https://["},
        {"referrer": "x" * 3000},
        {"referrer": 5},
        {"referrer": "https://a.example:port/?q=1"},
        {"referrer": "https://xn--zzzzzzzzzz.example/" + "a&" * 900},
        {"screen_width": 1e308},
        {"screen_width": "wide"},
        {"engaged_ms": 1e308, "scroll": -5},
        {"engaged_ms": 10**30, "scroll": "far"},
        {"age_ms": 5e-324},
        {"age_ms": None},
        {"id": "{12345678-1234-4678-9234-567812345678}"[:36] + ""},
        {"props": {"a": 1e308, "b": 10**30, "c": None, "": True}},
        {"revenue": {"amount": "1E-999999999", "currency": "EUR"}},
        {"revenue": {"amount": 0.1, "currency": "EUR", "x": 1}},
        {"unknown": {"a": [1, {"b": None}]}},
    ],
)
def test_odd_events_are_kept_or_dropped_and_the_keeper_can_store_what_was_kept(
    visitor: Visitor, keeper: KeeperInHand, changes: dict[str, Any]
) -> None:
    visitor.accept()
    response = visitor.send(visitor.event("/good"), visitor.event("/odd", **changes))
    assert response.status_code == 202, response.text
    answer = response.get_json()
    assert answer["accepted"] + len(answer["dropped"]) == 2
    assert keeper.turn() == answer["accepted"]
