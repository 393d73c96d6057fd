"""The statement on Global Privacy Control is true of the sites of the host that makes it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_service.core import Core
from consent_service.sites.changes import add_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import SiteSettings
from tests.integration.clock import Clock

HONOURED = {"gpc": True, "lastUpdate": "2026-11-24"}
NOT_HONOURED = {"gpc": False, "lastUpdate": "2026-11-24"}


@pytest.fixture
def add(core: Core, site: Site, now: Clock, refresh: Callable[[], None]) -> Callable[..., None]:
    """Give a function that adds a site of a domain which treats the signal in its way."""

    def make(domain: str, gpc: str, **changes: object) -> None:
        settings = SiteSettings.from_document({"name": domain, "domain": domain, "signals": {"gpc": gpc}, **changes})
        core.writer.run(lambda connection: add_site(connection, settings, actor="test", now=now()))
        refresh()

    return make


def statement(client: FlaskClient, host: str) -> object:
    answer = client.get("/.well-known/gpc.json", headers={"Host": host})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    return answer.get_json()


def test_a_host_whose_sites_take_the_signal_as_a_refusal_says_so(client: FlaskClient) -> None:
    assert statement(client, "nouvelles.example") == HONOURED
    assert statement(client, "www.nouvelles.example:8443") == HONOURED


@pytest.mark.parametrize("gpc", ["ask", "ignore"])
def test_a_host_with_a_site_that_does_not_says_that_it_does_not(
    client: FlaskClient, add: Callable[..., None], gpc: str
) -> None:
    add("autre.example", gpc)
    assert statement(client, "autre.example") == NOT_HONOURED
    assert statement(client, "nouvelles.example") == HONOURED


def test_one_of_two_sites_on_a_host_is_enough(client: FlaskClient, add: Callable[..., None]) -> None:
    add("autre.example", "ignore", origins=["https://nouvelles.example"])
    assert statement(client, "nouvelles.example") == NOT_HONOURED


def test_subdomains_that_belong_to_a_site_say_what_it_does(client: FlaskClient, add: Callable[..., None]) -> None:
    add("autre.example", "ignore", share_subdomains=True)
    assert statement(client, "blog.autre.example") == NOT_HONOURED


@pytest.mark.parametrize("host", ["consent.example", "[::1", "", "a b"])
def test_a_host_of_no_site_speaks_for_all_of_them(client: FlaskClient, add: Callable[..., None], host: str) -> None:
    assert statement(client, host) == HONOURED
    add("autre.example", "ignore")
    assert statement(client, host) == NOT_HONOURED


def test_a_deployment_without_sites_has_nobody_who_does_not_honour_it(app: Flask) -> None:
    assert statement(app.test_client(), "consent.example") == HONOURED
