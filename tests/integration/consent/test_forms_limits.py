"""Who presses too often is told so on the page, and nothing is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent_service.config import Config, load_config
from consent_service.core import Core
from consent_service.db.tables import decision
from consent_service.secrets import write_secrets
from tests.integration.clock import Clock
from tests.integration.consent.reader import Reader, said
from tests.integration.consent.test_forms_banner import rows


@pytest.fixture
def config(data_dir: Path, database: str, now: Clock) -> Config:
    """Give settings that let an address decide once a minute."""
    write_secrets(data_dir, now())
    environ = {"CONSENT_SERVICE_DATABASE_URL": database, "CONSENT_SERVICE_RATE_LIMITS": "decisions=1/m:1"}
    return load_config(environ, data_dir=data_dir)


def test_too_many_choices_are_answered_with_the_page_and_when_to_come_back(reader: Reader, core: Core) -> None:
    reader.choose("accept")
    answer = reader.press(reader.banner(), "refuse")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.mimetype == "text/html"
    assert "Your choice could not be saved" in said(answer)
    assert "Your choice is saved" not in said(answer)
    assert len(rows(core, decision)) == 1
    # Deciding often does not use up the share of withdrawing.
    assert reader.press(reader.my(), "withdraw").status_code == 303
    again = reader.press(reader.my(), "export-json")
    assert (again.status_code, again.get_json()["error"]["code"]) == (429, "rate_limited")
