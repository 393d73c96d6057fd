"""A public token never shows a cell of fewer than ten visitors, nor lets it be worked out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consent_service.stats import privacy
from tests.integration.clock import Clock
from tests.integration.conftest import TokenMaker
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor


def ask(visitor: Visitor, token: str, **members: Any) -> Any:
    body = {"site_id": visitor.site_key, "metrics": ["visitors"], "date_range": "day", **members}
    return visitor.client.post("/api/v2/query", json=body, headers={"Authorization": f"Bearer {token}"})


Read = Callable[..., None]


@pytest.fixture
def read(visitor: Visitor, keeper: KeeperInHand) -> Read:
    """Give a function that lets pages have so many visitors each: `read({"/a": 12})`."""

    def let(wanted: dict[str, int]) -> None:
        for path, count in wanted.items():
            for _ in range(count):
                one = visitor.another()
                one.accept()
                one.pageview(path)
        keeper.turn()

    return let


@pytest.fixture
def pages(read: Read) -> dict[str, int]:
    """Let pages have 14, 12, 11 and 3 visitors."""
    wanted = {"/a": 14, "/b": 12, "/c": 11, "/rare": 3}
    read(wanted)
    return wanted


def test_a_small_cell_is_hidden_together_with_the_next_one(
    visitor: Visitor, pages: dict[str, int], api_token: TokenMaker
) -> None:
    shown = ask(visitor, api_token("stats:read", is_public=True), dimensions=["event:page"]).get_json()
    assert {row["dimensions"][0] for row in shown["results"]} == {"/a", "/b"}
    assert shown["meta"]["privacy"]["hidden_rows"] == 2
    every = ask(visitor, api_token("stats:read"), dimensions=["event:page"]).get_json()
    assert {row["dimensions"][0]: row["metrics"][0] for row in every["results"]} == pages


def test_the_metric_that_decides_is_not_shown_unasked(
    visitor: Visitor, pages: dict[str, int], api_token: TokenMaker
) -> None:
    token = api_token("stats:read", is_public=True)
    shown = ask(visitor, token, metrics=["pageviews"], dimensions=["event:page"]).get_json()
    assert shown["results"][0] == {"dimensions": ["/a"], "metrics": [14]}


@pytest.mark.parametrize(("page", "count"), [("/a", 14), ("/b", 12), ("/c", None), ("/rare", None), ("/none", None)])
def test_a_filter_shows_what_the_breakdown_shows_and_nothing_else(
    visitor: Visitor, pages: dict[str, int], api_token: TokenMaker, page: str, count: int | None
) -> None:
    # The total and the filters on what is shown leave 14 for /c and /rare; /c by itself would tell /rare.
    filters = [["is", "event:page", [page]]]
    found = ask(visitor, api_token("stats:read", is_public=True), filters=filters).get_json()["results"]
    assert found == ([] if count is None else [{"dimensions": [], "metrics": [count]}])


def test_a_filter_on_what_is_unknown_is_one_on_a_cell_too(visitor: Visitor, read: Read, api_token: TokenMaker) -> None:
    read({"/a": 12})
    token = api_token("stats:read", is_public=True)
    for word in ("(not set)", ""):
        found = ask(visitor, token, filters=[["is", "visit:country", [word]]]).get_json()["results"]
        assert found == [{"dimensions": [], "metrics": [12]}]


def test_what_a_period_has_more_than_a_shorter_one_is_a_cell_too(
    visitor: Visitor, read: Read, api_token: TokenMaker, now: Clock
) -> None:
    read({"/a": 15, "/b": 4})
    now.move(days=20)
    read({"/a": 20, "/b": 30, "/c": 40})
    now.move(days=1)
    token = api_token("stats:read", is_public=True)

    def shown(period: str) -> dict[str, int]:
        rows = ask(visitor, token, date_range=period, dimensions=["event:page"]).get_json()["results"]
        return {row["dimensions"][0]: row["metrics"][0] for row in rows}

    assert shown("7d") == {"/a": 20, "/b": 30, "/c": 40}
    # 34 of /b less the 30 of the last week would be 4; and the 15 of /a, taken from all 19 before that week, too.
    assert shown("28d") == {"/c": 40}


def test_a_share_does_not_tell_a_total_that_is_hidden(
    visitor: Visitor, read: Read, api_token: TokenMaker, now: Clock
) -> None:
    read({"/a": 4})
    now.move(days=20)
    read({"/b": 30, "/c": 40})
    now.move(days=1)

    def answer(period: str, *metrics: str) -> Any:
        token = api_token("stats:read", is_public=True)
        asked = {"date_range": period, "dimensions": ["event:page"], "metrics": list(metrics)}
        return ask(visitor, token, **asked).get_json()["results"]

    assert [row["metrics"] for row in answer("7d", "visitors", "percentage")] == [[40, 57.1], [30, 42.9]]
    # 40 of 74 are 54.1 %, and 74 less the 70 of the last week are the 4 before it.
    assert answer("28d", "visitors") == [{"dimensions": ["/c"], "metrics": [40]}]
    assert answer("28d", "visitors", "percentage") == []


def test_nothing_tells_of_cells_beyond_those_that_are_looked_at(
    visitor: Visitor, pages: dict[str, int], api_token: TokenMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy, "MOST_CELLS", len(pages) - 1)
    token = api_token("stats:read", is_public=True)
    # /c and /b cover what is cut off, 3 of /rare.
    found = ask(visitor, token, dimensions=["event:page"]).get_json()["results"]
    assert found == [{"dimensions": ["/a"], "metrics": [14]}]
    crossed = ask(visitor, token, dimensions=["event:page", "visit:device"], date_range="28d").get_json()
    assert crossed["results"] == []


@pytest.mark.parametrize(
    "members",
    [
        {"filters": [["is_not", "event:page", ["/a"]]]},
        {"filters": [["not", ["is", "event:page", ["/a"]]]]},
        {"filters": [["or", [["contains_not", "event:page", ["/a"]]]]]},
        {"filters": [["or", [["is", "event:page", ["/a"]], ["is", "event:page", ["/b"]]]]]},
        {"filters": [["is", "event:page", ["/a", "/b"]]]},
        {"filters": [["is", "event:page", ["/A"], {"case_sensitive": False}]]},
        {"filters": [["contains", "event:page", ["/"]]]},
        {"filters": [["is", "event:page", ["/a"]], ["is", "event:page", ["/b"]]]},
        {"filters": [["is", "event:page", ["/a"]]], "dimensions": ["visit:country"]},
        {"dimensions": ["event:page", "visit:country"]},
        {"dimensions": ["event:page", "visit:country", "visit:device"], "date_range": "28d"},
        {"date_range": ["2026-03-10", "2026-03-10"]},
        {"date_range": "24h"},
        {"date_range": "30d"},
        {"date_range": "month"},
        {"date_range": "all"},
        {"dimensions": ["time:hour"]},
        {"dimensions": ["time"]},
        {"dimensions": ["time"], "date_range": "7d"},
        {"dimensions": ["time:week"], "date_range": "28d"},
        {"dimensions": ["time:month"], "date_range": "12mo"},
        {"dimensions": ["time:day", "event:page"], "date_range": "28d"},
        {"dimensions": ["event:page"], "metrics": ["bounce_rate"]},
    ],
)
def test_what_could_be_subtracted_is_refused(
    visitor: Visitor, keeper: KeeperInHand, api_token: TokenMaker, members: dict[str, Any]
) -> None:
    assert ask(visitor, api_token("stats:read", is_public=True), **members).status_code == 422
    assert ask(visitor, api_token("stats:read"), **members).status_code == 200


@pytest.mark.parametrize(
    "members",
    [
        {"dimensions": ["event:page", "visit:country"], "date_range": "28d"},
        {"dimensions": ["event:page"], "filters": [["is", "visit:country", ["FR"]]], "date_range": "28d"},
        {"dimensions": ["event:page"], "filters": [["is", "event:page", ["/a"]]]},
        {"dimensions": ["time"], "date_range": "28d"},
        {"dimensions": ["time:day"], "date_range": "28d"},
        {"dimensions": ["visit:entry_page"], "metrics": ["bounce_rate"], "date_range": "12mo"},
        {"metrics": ["visitors", "bounce_rate"], "date_range": "91d", "include": {"total_rows": True}},
    ],
)
def test_what_a_public_page_needs_is_answered(
    visitor: Visitor, keeper: KeeperInHand, api_token: TokenMaker, members: dict[str, Any]
) -> None:
    assert ask(visitor, api_token("stats:read", is_public=True), **members).status_code == 200
