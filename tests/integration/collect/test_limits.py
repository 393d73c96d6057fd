"""What is too much is answered with 429 or dropped, and nothing of it is stored; other sites do not notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from consent_service.config import Config, load_config
from consent_service.core import Core
from consent_service.db.tables import decision
from consent_service.secrets import write_secrets
from tests.integration.clock import Clock
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

LIMITS = "events=1000/s:1000,decisions=1000/s:1000,site_events=1/h:3,site_decisions=1/h:5"


@pytest.fixture
def config(data_dir: Path, database: str, now: Clock) -> Config:
    """Give settings under which a site is full soon, and an address never."""
    write_secrets(data_dir, now())
    (data_dir / "spam.txt").write_text("# mine\nreferrals.example\n")
    environ = {
        "CONSENT_SERVICE_DATABASE_URL": database,
        "CONSENT_SERVICE_RATE_LIMITS": LIMITS,
        "CONSENT_SERVICE_REFERRER_SPAM": str(data_dir / "spam.txt"),
    }
    return load_config(environ, data_dir=data_dir)


def test_a_site_that_gets_too_many_events_answers_429_and_stores_none_of_them(
    visitor: Visitor, keeper: KeeperInHand
) -> None:
    visitor.accept()
    stranger = visitor.another()
    stranger.token = "x" * 90
    # What does not pass the gate uses nothing up.
    assert {stranger.pageview("/no").status_code for _ in range(10)} == {403}
    answers = [visitor.pageview(f"/{number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert answers[-1].get_json()["error"]["code"] == "rate_limited"
    assert keeper.turn() == 3


def test_a_flood_of_decisions_is_bounded_for_the_site_and_withdrawing_is_not(visitor: Visitor, core: Core) -> None:
    visitor.accept()
    statuses = [visitor.another().refuse().status_code for _ in range(20)]
    assert statuses == [201] * 4 + [429] * 16
    with core.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(decision)).scalar_one() == 5
    assert visitor.withdraw().status_code == 200


@pytest.mark.parametrize("referrer", ["https://semalt.com/x", "https://www.referrals.example/"])
def test_referrer_spam_is_dropped_and_counted_by_its_reason(
    visitor: Visitor, keeper: KeeperInHand, referrer: str
) -> None:
    visitor.accept()
    answer = visitor.send(visitor.event("/spam", referrer=referrer), visitor.event("/good")).get_json()
    assert answer == {"accepted": 1, "dropped": [{"index": 0, "reason": "spam_referrer"}]}
    keeper.until(lambda: bool(_drops(keeper)))
    assert _drops(keeper) == {"spam_referrer": 1}


def test_robots_are_counted_and_programs_too_unless_they_run_here(visitor: Visitor, keeper: KeeperInHand) -> None:
    visitor.accept()
    body: dict[str, Any] = {"site": visitor.site_key, "token": visitor.token}
    for agent, peer in (("curl/8.9.1", "127.0.0.1"), ("curl/8.9.1", "203.0.113.1"), ("GPTBot/1.2", "127.0.0.1")):
        visitor.client.post(
            "/v1/events",
            json={**body, "events": [visitor.event("/a")]},
            headers={"Origin": visitor.origin, "User-Agent": agent},
            environ_base={"REMOTE_ADDR": peer},
        )
    assert keeper.turn() == 1
    keeper.until(lambda: bool(_drops(keeper)))
    assert _drops(keeper) == {"bot": 2}


def _drops(keeper: KeeperInHand) -> dict[str, int]:
    return dict(keeper.store.fetch("SELECT reason, sum(n) FROM drop_count GROUP BY reason", []).rows)
