"""A demo that was filled once, and the application over it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from consent_service.app import create_app
from consent_service.config import Config, load_config
from consent_service.core import Core, make_core
from consent_service.db.migrate import upgrade
from consent_service.demo.run import TRUTH_FILE, prepare
from consent_service.secrets import write_secrets
from consent_service.services import EXTENSION
from consent_service.sites.access import Scope, create_token
from tests.integration.clock import Clock
from tests.integration.keeping import KeeperInHand

NOW = datetime(2026, 11, 24, 17, 3, 20, tzinfo=UTC)
EVENTS = 5_000


@dataclass(frozen=True)
class Demo:
    """Hold a filled demo: its truth, the lines it printed, and a client of its server."""

    core: Core
    truth: dict[str, Any]
    lines: list[str]
    client: FlaskClient
    keeper: KeeperInHand
    token: str

    def query(self, **asked: Any) -> list[dict[str, Any]]:
        """Ask `POST /api/v2/query` and give its rows."""
        answer = self.client.post(
            "/api/v2/query",
            json={"site_id": self.truth["site"], **asked},
            headers={"Authorization": f"Bearer {self.token}"},
        )
        assert answer.status_code == 200, answer.text
        return list(answer.get_json()["results"])


def make_demo_config(directory: Path) -> Config:
    """Make what `demo` makes before it fills: secrets and schema."""
    write_secrets(directory, NOW)
    config = load_config({"CONSENT_SERVICE_RATE_LIMITS": "off"}, data_dir=directory, port=8123, is_demo=True)
    core = make_core(config)
    upgrade(core.engine)
    core.close()
    return config


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """Give a demo of 5,000 events."""
    directory = Path(tempfile.mkdtemp(prefix="demo-"))
    config, clock = make_demo_config(directory), Clock(NOW)
    core = make_core(config, clock)
    lines = prepare(core, EVENTS)
    truth = orjson.loads((directory / TRUTH_FILE).read_bytes())
    site = core.sites.all()[0]
    scopes = [Scope.STATS_READ, Scope.CONSENT_READ, Scope.EVENTS_EXPORT]
    _, token = core.writer.run(
        lambda connection: create_token(
            connection,
            site_id=site.site_id,
            scopes=scopes,
            is_public=False,
            expires_days=None,
            actor="test",
            now=NOW,
        )
    )
    keeper = KeeperInHand(config, core)
    app = create_app(config, clock)
    yield Demo(core, truth, lines, app.test_client(), keeper, token)
    parts = app.extensions[EXTENSION]
    parts.inbox.close()
    parts.writer.close()
    parts.engine.dispose()
    keeper.close()
    core.close()
    shutil.rmtree(directory)
