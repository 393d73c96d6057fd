"""What is typed into the console costs little, however often and whatever it is."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from consent_service.config import Config, load_config
from consent_service.console import passwords
from consent_service.console.people import Role
from consent_service.core import Core
from consent_service.db.tables import user
from consent_service.secrets import write_secrets
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.console.browsing import Person, PersonMaker


@pytest.fixture
def config(data_dir: Path, database: str, now: Clock) -> Config:
    """Give settings that let an address log in three times in a row."""
    write_secrets(data_dir, now())
    environ = {"CONSENT_SERVICE_DATABASE_URL": database, "CONSENT_SERVICE_RATE_LIMITS": "decisions=1/m:3"}
    return load_config(environ, data_dir=data_dir)


def failures(core: Core, person: Person) -> int:
    with core.engine.connect() as connection:
        rows = connection.execute(user.select().where(user.c.user_id == person.user.user_id)).all()
    return int(rows[0].failed_logins)


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_nul_in_a_form_or_an_address_is_refused_before_a_store_sees_it(somebody: PersonMaker, site: Site) -> None:
    person = somebody(Role.PRIVACY_OFFICER)
    for path in (
        f"/console/sites/{site.key}/decisions?before=%00",
        f"/console/sites/{site.key}?period=%00",
        f"/console/sites/{site.key}?%00=x",
        "/console/?a=b&a=%00",
    ):
        page = person.get(path)
        assert page.status_code == 422, path
        assert "<h1>" in page.text
    stranger = somebody(email="b@example.org", is_in=False)
    assert stranger.log_in(email="b@example.org\0").status_code == 422
    assert stranger.log_in(password="a few words\0").status_code == 422
    for path in ("/console/login/setup-%00", "/console/sites/%00", "/console/%00"):
        assert stranger.get(path).status_code in (303, 404, 410), path


def test_who_logs_in_too_often_is_told_to_come_back_before_a_password_is_looked_at(
    somebody: PersonMaker, core: Core
) -> None:
    person = somebody(is_in=False)
    for _ in range(3):
        assert person.log_in(password="wrong and wrong again").status_code == 401
    page = person.log_in()
    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) >= 1
    assert "Too many are logging in right now" in page.text
    assert failures(core, person) == 3


def test_only_so_many_passwords_are_hashed_at_once_and_who_cannot_wait_is_not_counted(
    somebody: PersonMaker, core: Core
) -> None:
    person = somebody(is_in=False)
    with ExitStack() as stack:
        for _ in range(passwords.MOST_AT_ONCE):
            stack.enter_context(passwords.SLOTS)
        page = person.log_in()
        assert (page.status_code, page.headers["Retry-After"]) == (429, "2")
        assert failures(core, person) == 0
    assert person.log_in().status_code == 303
