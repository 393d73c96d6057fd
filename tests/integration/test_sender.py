"""What is known of who sends a request: the country by a trusted proxy's word alone."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from sqlalchemy import select

from consent_service.browser.place import COUNTRY_HEADERS
from consent_service.config import Config, load_config
from consent_service.core import Core
from consent_service.db.tables import decision
from consent_service.secrets import write_secrets
from tests.integration.clock import Clock
from tests.integration.visitor import Visitor

PROXY, STRANGER = "10.0.0.7", "203.0.113.9"


@pytest.fixture
def config(data_dir: Path, database: str, now: Clock) -> Config:
    """Give settings that trust one network."""
    write_secrets(data_dir, now())
    made = load_config({"CONSENT_SERVICE_DATABASE_URL": database}, data_dir=data_dir)
    return replace(made, trusted_proxies=(ip_network("10.0.0.0/8"),))


def country_of(visitor: Visitor, core: Core, peer: str, headers: dict[str, str]) -> str | None:
    """Grant through a peer that sends these headers, and give the country of the record."""
    sent = {"Origin": visitor.origin, "X-Forwarded-For": "198.51.100.1", **headers}
    body = visitor.decision("accept_all")
    answer = visitor.client.post("/v1/decisions", json=body, headers=sent, environ_base={"REMOTE_ADDR": peer})
    assert answer.status_code == 201, answer.text
    with core.engine.connect() as connection:
        found = connection.execute(
            select(decision.c.country).where(decision.c.decision_id == answer.get_json()["decision_id"])
        ).scalar_one()
    return None if found is None else str(found)


@pytest.mark.parametrize("name", [*COUNTRY_HEADERS, *(name.lower() for name in COUNTRY_HEADERS)])
def test_the_country_is_what_a_trusted_proxy_says(visitor: Visitor, core: Core, name: str) -> None:
    assert country_of(visitor, core, PROXY, {name: "pt"}) == "PT"
    assert country_of(visitor, core, STRANGER, {name: "PT"}) is None


@pytest.mark.parametrize("value", ["", "XX", "T1", "PRT", "P\u00d6", "P-", "12", "Portugal"])
def test_what_is_no_country_is_not_kept(visitor: Visitor, core: Core, value: str) -> None:
    assert country_of(visitor, core, PROXY, dict.fromkeys(COUNTRY_HEADERS, value)) is None
