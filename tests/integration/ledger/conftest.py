"""An integrator of the application's log."""

import pytest

from consent_service.consent.publication import Publication
from consent_service.core import Core
from consent_service.ledger.integrator import Integrator
from consent_service.sites.registry import Site


@pytest.fixture
def integrator(core: Core, site: Site) -> Integrator:
    """Give an integrator that works when it is told."""
    return Integrator(core.engine, core.writer, core.config.data_dir, core.now)


@pytest.fixture
def publication(core: Core, site: Site) -> Publication:
    """Give what the site has published."""
    found = core.publications.of(site)
    assert found is not None
    return found
