"""The pipeline keeps what the policy declares of a valid event, and nothing of any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.browser.device import UNKNOWN, Device
from consent_service.browser.place import Place
from consent_service.collect.drops import Drop, DropReason
from consent_service.collect.pipeline import Context, run
from consent_service.consent.gate import GateRules, Grant, ReceiptState, check
from consent_service.consent.policy import DataGroup
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = frozenset(map(str, DataGroup))
SITE = Site(
    1,
    "abcdefghjkmn",
    SiteSettings.from_document(
        {
            "name": "News",
            "domain": "news.example",
            "origins": ["https://news.example", "https://m.news.example"],
            "allowed_query_keys": ["page"],
            "excluded_paths": ["/admin/*"],
        }
    ),
)
DEVICE = Device("Desktop", "Firefox", "140", "Linux", "", is_bot=False)


def granted(data: frozenset[str]) -> Grant:
    state = ReceiptState(
        "a" * 32, 1, 7, "d", NOW, NOW - timedelta(hours=1), NOW + timedelta(days=9), 1, "h", ("m",), (), False, False
    )
    grant = check(state, GateRules(1, "m", data, 1, False), now=NOW, has_signal=False)
    assert isinstance(grant, Grant)
    return grant


def context(data: frozenset[str] = EVERYTHING, **changes: Any) -> Context:
    made = Context(SITE, granted(data), NOW, DEVICE, Place("FR", "FR-75", "Paris"), False)
    return replace(made, **changes)


def sent(**changes: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "name": "pageview", "url": "https://news.example/a?page=2&secret=1#x", **changes}


FULL = {
    "referrer": "https://www.google.fr/search?q=secret",
    "props": {"author": "x", "n": 3, "ok": True},
    "revenue": {"amount": "12.50", "currency": "EUR"},
    "engaged_ms": 1200,
    "scroll": 44,
    "screen_width": 1300,
}


@pytest.mark.parametrize(
    "referrer",
    ["https://news.example/b", "https://www.news.example/", "https://m.news.example/c", "https://M.News.example"],
)
@pytest.mark.parametrize("page", ["https://news.example/a", "https://m.news.example/a"])
def test_a_page_of_any_origin_of_the_site_is_no_source(page: str, referrer: str) -> None:
    kept = run(sent(url=page, referrer=referrer), context())
    assert isinstance(kept, dict)
    assert not {"source", "referrer"} & kept.keys()


def test_everything_declared_is_kept() -> None:
    kept = run(sent(name="buy", url="https://m.news.example/a?utm_source=n&utm_campaign=c&gclid=1", **FULL), context())
    assert isinstance(kept, dict)
    assert kept["hostname"] == "m.news.example"
    assert (kept["source"], kept["referrer"], kept["click_id"]) == ("n", "www.google.fr/search", "gclid")
    assert (kept["utm_source"], kept["utm_campaign"]) == ("n", "c")
    assert (kept["device"], kept["browser"], kept["screen"]) == ("Desktop", "Firefox", "Laptop")
    assert (kept["country"], kept["region"], kept["city"]) == ("FR", "FR-75", "Paris")
    assert kept["props"] == {"author": "x", "n": "3", "ok": "true"}
    assert (kept["revenue_amount"], kept["revenue_currency"]) == ("12.5000", "EUR")
    assert (kept["engaged_ms"], kept["scroll"]) == (1200, 44)


def test_of_the_page_alone_nothing_but_the_page_is_kept() -> None:
    kept = run(sent(**FULL), context(frozenset({"page"})))
    assert isinstance(kept, dict)
    assert set(kept) == {"event_id", "name", "occurred_at", "hostname", "path", "query"}


def test_the_query_is_cut_to_the_allowed_keys_and_the_fragment_is_gone() -> None:
    kept = run(sent(), context())
    assert isinstance(kept, dict)
    assert (kept["path"], kept["query"]) == ("/a", "page=2")
    assert "secret" not in str(kept)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "1"}, DropReason.INVALID_EVENT),
        ({"id": None}, DropReason.INVALID_EVENT),
        ({"name": ""}, DropReason.INVALID_EVENT),
        ({"name": "x" * 121}, DropReason.INVALID_EVENT),
        ({"age_ms": -1}, DropReason.INVALID_EVENT),
        ({"age_ms": "1"}, DropReason.INVALID_EVENT),
        ({"age_ms": True}, DropReason.INVALID_EVENT),
        ({"age_ms": 72 * 3_600_000 + 1}, DropReason.TOO_OLD),
        ({"age_ms": 3_600_001}, DropReason.BEFORE_CONSENT),
        ({"url": None}, DropReason.INVALID_URL),
        ({"url": "/a"}, DropReason.INVALID_URL),
        ({"url": "javascript:alert(1)"}, DropReason.INVALID_URL),
        ({"url": "https://news.example:port/"}, DropReason.INVALID_URL),
        ({"url": "https://news.example/" + "a" * 2000}, DropReason.INVALID_URL),
        ({"url": "https://evil.example/"}, DropReason.FOREIGN_HOST),
        ({"url": "https://news.example.evil.example/"}, DropReason.FOREIGN_HOST),
        ({"url": "https://news.example/admin/x"}, DropReason.EXCLUDED_PATH),
        ({"props": {str(n): n for n in range(31)}}, DropReason.TOO_MANY_PROPS),
        ({"props": {"a": {"b": 1}}}, DropReason.INVALID_EVENT),
        ({"props": {"x" * 301: 1}}, DropReason.INVALID_EVENT),
        ({"props": {"a": "x" * 2001}}, DropReason.INVALID_EVENT),
        ({"revenue": {"amount": "nan", "currency": "EUR"}}, DropReason.INVALID_EVENT),
        ({"revenue": {"amount": "1", "currency": "euro"}}, DropReason.INVALID_EVENT),
        ({"extra": [[[[[[[[[[1]]]]]]]]]]}, DropReason.INVALID_EVENT),
    ],
)
def test_a_fault_drops_the_event_with_its_reason(change: dict[str, Any], reason: DropReason) -> None:
    assert run(sent(**change), context()) == Drop(reason)


def test_bots_and_excluded_addresses_are_dropped() -> None:
    assert run(sent(), context(device=replace(UNKNOWN, is_bot=True))) == Drop(DropReason.BOT)
    assert run(sent(), context(is_excluded_address=True)) == Drop(DropReason.EXCLUDED_ADDRESS)


def test_a_custom_event_is_dropped_where_the_policy_declares_none() -> None:
    assert run(sent(name="signup"), context(EVERYTHING - {"events"})) == Drop(DropReason.INVALID_EVENT)


AUTOMATIC = {
    "pageview": ("page", {}),
    "not_found": ("page", {}),
    "engagement": ("engagement", {}),
    "outbound": ("outbound", {"url": "https://other.example/a"}),
    "download": ("downloads", {"url": "https://news.example/a.pdf"}),
    "form": ("forms", {"form": "newsletter"}),
}


@pytest.mark.parametrize(("name", "group", "props"), [(name, *found) for name, found in AUTOMATIC.items()])
def test_an_automatic_event_needs_its_own_group_and_carries_its_own_prop_alone(
    name: str, group: str, props: dict[str, str]
) -> None:
    event = sent(name=name, props={**props, "secret": "x"})
    kept = run(event, context(frozenset({group})))
    assert isinstance(kept, dict)
    assert kept.get("props", {}) == props
    assert kept.keys() - {"props", "hostname", "path", "query"} == {"event_id", "name", "occurred_at"}
    assert ("path" in kept) is (group == "page")
    assert run(event, context(EVERYTHING - {group})) == Drop(DropReason.INVALID_EVENT)


def test_other_props_of_an_automatic_event_are_kept_where_the_policy_declares_props() -> None:
    event = sent(name="outbound", props={"url": "https://other.example/a?mail=x", "place": "footer"})
    kept = run(event, context(frozenset({"outbound", "props"})))
    assert isinstance(kept, dict)
    assert kept["props"] == {"url": "https://other.example/a", "place": "footer"}


@pytest.mark.parametrize("data", [EVERYTHING, frozenset({"outbound", "downloads"})])
@pytest.mark.parametrize("name", ["outbound", "download"])
@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://other.example/a/b.pdf?mail=x@y.example#z", "https://other.example/a/b.pdf"),
        ("http://user:word@Other.example:8080", "http://other.example:8080/"),
        ("https://[2001:DB8::1]/x?y", "https://[2001:db8::1]/x"),
        ("https://other.example/?#", "https://other.example/"),
    ],
)
def test_of_where_a_link_leads_only_scheme_host_and_path_are_kept(
    data: frozenset[str], name: str, url: str, stored: str
) -> None:
    kept = run(sent(name=name, props={"url": url}), context(data))
    assert isinstance(kept, dict)
    assert kept["props"] == {"url": stored}


@pytest.mark.parametrize(
    ("name", "props"),
    [
        ("outbound", None),
        ("outbound", {}),
        ("outbound", {"url": "mailto:someone@other.example"}),
        ("outbound", {"url": "javascript:alert(1)"}),
        ("outbound", {"url": "//other.example/"}),
        ("outbound", {"url": "https://other.example:port/"}),
        ("outbound", {"url": 1}),
        ("download", {"url": "https://other.example/" + "a" * 2000}),
        ("form", {"form": "x" * 121}),
        ("form", {"form": 7}),
    ],
)
def test_an_automatic_event_that_does_not_say_what_it_is_about_is_dropped(name: str, props: Any) -> None:
    assert run(sent(name=name, props=props), context()) == Drop(DropReason.INVALID_EVENT)


@pytest.mark.parametrize("props", [None, {}, {"form": ""}, {"form": None}])
def test_a_form_without_a_name_counts_all_the_same(props: Any) -> None:
    kept = run(sent(name="form", props=props), context(frozenset({"forms"})))
    assert isinstance(kept, dict)
    assert "props" not in kept


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
)
_NAMES = st.sampled_from(["id", "name", "url", "referrer", "age_ms", "props", "revenue", "engaged_ms", "scroll"])


@given(st.dictionaries(_NAMES, _JSON, max_size=9) | _JSON, st.sampled_from(sorted(AUTOMATIC)))
def test_nothing_that_json_can_say_crashes_the_pipeline(strange: Any, name: str) -> None:
    merged = {**sent(name=name), **strange} if isinstance(strange, dict) else strange
    assert isinstance(run(merged, context()), (dict, Drop))
