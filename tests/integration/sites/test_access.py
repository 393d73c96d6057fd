"""API tokens: when each was used last, so that a forgotten one can be found and revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from consent_service.core import Core
from consent_service.db.tables import api_token
from consent_service.services import EXTENSION
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

TokenMaker = Callable[..., str]


def used_at(core: Core) -> datetime | None:
    with core.engine.connect() as connection:
        found: datetime | None = connection.execute(select(api_token.c.used_at)).scalar_one()
    return found


def ask(client: FlaskClient, site: Site, token: str) -> int:
    path = f"/api/v1/consent?site={site.key}"
    return client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def test_the_last_use_of_a_token_is_noted_once_a_minute(
    app: Flask, client: FlaskClient, core: Core, site: Site, api_token: TokenMaker, now: Clock
) -> None:
    token = api_token("consent:read")
    assert used_at(core) is None
    written: list[str] = []
    event.listen(
        app.extensions[EXTENSION].engine,
        "before_cursor_execute",
        lambda *told: written.append(told[2]) if told[2].startswith("UPDATE api_token") else None,
    )
    first = now()
    assert ask(client, site, token) == 200
    assert used_at(core) == first
    now.move(seconds=59)
    assert ask(client, site, token) == 200
    assert (used_at(core), len(written)) == (first, 1)
    now.move(seconds=1)
    assert ask(client, site, token) == 200
    assert (used_at(core), len(written)) == (now(), 2)


def test_a_token_that_does_not_hold_is_not_in_use(
    client: FlaskClient, core: Core, site: Site, api_token: TokenMaker
) -> None:
    token = api_token("stats:read")
    assert ask(client, site, token) == 403
    assert ask(client, site, f"{token}x") == 401
    assert used_at(core) is None
