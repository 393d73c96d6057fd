"""Roles, waits and words that do not need a database."""

from datetime import UTC, datetime, timedelta

import pytest

from consent_service.console.forms import PasswordForm
from consent_service.console.passwords import wait_after
from consent_service.console.people import Role, User
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings


def _user(role: Role, *site_ids: int) -> User:
    return User("u", "a@example.org", role, frozenset(site_ids), True, datetime(2026, 1, 1, tzinfo=UTC))


def test_each_role_may_what_the_ones_below_it_may() -> None:
    for rank, role in enumerate(Role):
        assert [role.includes(other) for other in Role] == [place >= rank for place in range(len(Role))]


def test_whoever_has_sites_listed_sees_only_those_and_admins_all() -> None:
    site = Site(3, "abcdefghjkmn", SiteSettings(name="A", domain="a.example"))
    assert _user(Role.ADMIN).sees(site)
    assert _user(Role.PRIVACY_OFFICER, 3).sees(site)
    assert _user(Role.PRIVACY_OFFICER).sees(site)
    assert not _user(Role.VIEWER, 1, 2).sees(site)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 0), (4, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (11, 900), (10_000, 900)]
)
def test_the_wait_doubles_from_half_a_minute_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    assert wait_after(failures) == timedelta(seconds=seconds)


@pytest.mark.parametrize("password", ["short", "anna-maria@example.org", "ANNA-MARIA@example.org", "a" * 1001, ""])
def test_a_password_is_refused_when_short_endless_or_the_address(password: str) -> None:
    form = PasswordForm(data={"password": password, "repeated": password}, email="anna-maria@example.org")
    assert not form.validate()


def test_any_long_enough_password_is_taken_when_typed_twice() -> None:
    words = "läuft über die brücke"
    assert PasswordForm(data={"password": words, "repeated": words}, email="a@example.org").validate()
    assert not PasswordForm(data={"password": words, "repeated": words + "!"}, email="a@example.org").validate()
