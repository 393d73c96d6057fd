"""An address counts a banner as shown so often and no more, and deciding has a share of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent_service.config import Config, load_config
from consent_service.core import Core
from consent_service.db.tables import coverage_count
from consent_service.secrets import write_secrets
from tests.integration.clock import Clock
from tests.integration.consent.keeping import rows
from tests.integration.consent.test_coverage import counting, shown
from tests.integration.visitor import Visitor

__all__ = ["counting"]


@pytest.fixture
def config(data_dir: Path, database: str, now: Clock) -> Config:
    """Give settings that let an address decide twice a minute."""
    write_secrets(data_dir, now())
    environ = {"CONSENT_SERVICE_DATABASE_URL": database, "CONSENT_SERVICE_RATE_LIMITS": "decisions=2/m:2"}
    return load_config(environ, data_dir=data_dir)


@pytest.mark.usefixtures("counting")
def test_who_says_it_too_often_is_told_when_to_come_back_and_may_decide_all_the_same(
    visitor: Visitor, core: Core
) -> None:
    answers = [shown(visitor) for _ in range(3)]
    assert [each.status_code for each in answers] == [204, 204, 429]
    assert answers[2].get_json()["error"]["code"] == "rate_limited"
    assert int(answers[2].headers["Retry-After"]) >= 1
    assert [row["n"] for row in rows(core, coverage_count)] == [2]
    assert visitor.refuse().status_code == 201
