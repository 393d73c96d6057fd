"""Give people with an account at the console."""

import pytest
from flask import Flask

from consent_service.console.passwords import hash_password
from consent_service.console.people import Role, add_user, set_password
from consent_service.core import Core
from consent_service.sites.registry import Site
from tests.integration.clock import Clock
from tests.integration.console.browsing import PASSWORD, Person, PersonMaker


@pytest.fixture
def somebody(app: Flask, core: Core, site: Site, now: Clock) -> PersonMaker:
    """Give a function that makes someone with a password: `somebody(Role.ANALYST, sites=[...], is_in=True)`."""

    def make(role: Role = Role.ADMIN, *, sites: list[int] | None = None, email: str = "", is_in: bool = True) -> Person:
        listed = [site.site_id] if sites is None else sites
        address = email or f"{role.value}@example.org"
        user, token = core.writer.run(
            lambda connection: add_user(connection, address, role, listed, actor="test", now=now())
        )
        hashed = hash_password(PASSWORD)
        core.writer.run(lambda connection: set_password(connection, token, hashed, now()))
        person = Person(user, app.test_client())
        if is_in:
            assert person.log_in().status_code == 303
        return person

    return make
