"""A public token never shows a cell of fewer than ten visitors, nor lets it be worked out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import TokenMaker
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor


def ask(visitor: Visitor, token: str, **members: Any) -> Any:
    body = {"site_id": visitor.site_key, "metrics": ["visitors"], "date_range": "day", **members}
    return visitor.client.post("/api/v2/query", json=body, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def pages(visitor: Visitor, keeper: KeeperInHand) -> dict[str, int]:
    """Let pages have 14, 12, 11 and 3 visitors."""
    wanted = {"/a": 14, "/b": 12, "/c": 11, "/rare": 3}
    for path, count in wanted.items():
        for _ in range(count):
            one = visitor.another()
            one.accept()
            one.pageview(path)
    keeper.turn()
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


def test_a_total_of_few_visitors_is_not_given(visitor: Visitor, pages: dict[str, int], api_token: TokenMaker) -> None:
    token = api_token("stats:read", is_public=True)
    assert ask(visitor, token, filters=[["is", "event:page", ["/rare"]]]).get_json()["results"] == []


@pytest.mark.parametrize(
    "members",
    [
        {"filters": [["is_not", "event:page", ["/a"]]]},
        {"filters": [["not", ["is", "event:page", ["/a"]]]]},
        {"filters": [["or", [["contains_not", "event:page", ["/a"]]]]]},
        {"date_range": ["2026-03-10", "2026-03-10"]},
        {"date_range": "24h"},
        {"dimensions": ["time:hour"]},
    ],
)
def test_what_could_be_subtracted_is_refused(
    visitor: Visitor, keeper: KeeperInHand, api_token: TokenMaker, members: dict[str, Any]
) -> None:
    assert ask(visitor, api_token("stats:read", is_public=True), **members).status_code == 422
    assert ask(visitor, api_token("stats:read"), **members).status_code == 200
