"""Browsers without scripts, on the site's own origin and on another."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from consent_service.sites.registry import Site
from tests.integration.consent.reader import OWN, Reader

ReaderMaker = Callable[..., Reader]


@pytest.fixture
def reader(app: Flask, site: Site) -> Reader:
    """Give a browser without scripts where the service answers on the site's own origin."""
    return Reader(app, site.key)


@pytest.fixture
def another(app: Flask, site: Site) -> ReaderMaker:
    """Give a function that makes more such browsers: `another(FOREIGN)`."""

    def make(origin: str = OWN) -> Reader:
        return Reader(app, site.key, origin)

    return make
