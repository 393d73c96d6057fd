"""The application as it runs: its data directory, its databases, a site with a policy, a keeper, a visitor."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL

from consent_service.app import create_app
from consent_service.config import Config, load_config
from consent_service.consent.policy import parse_policy
from consent_service.consent.publish import publish_policy
from consent_service.core import Core, make_core
from consent_service.db.engine import make_engine
from consent_service.db.migrate import upgrade
from consent_service.ledger.guard import begin_log
from consent_service.secrets import write_secrets
from consent_service.services import EXTENSION
from consent_service.sites.access import Scope, create_token
from consent_service.sites.changes import add_site
from consent_service.sites.registry import Site
from consent_service.sites.settings import parse_settings
from tests.integration.clock import Clock
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
DATABASES = ("sqlite", "postgresql")
"""For `@pytest.mark.parametrize("database", DATABASES, indirect=True)`: the test runs on both."""

TokenMaker = Callable[..., str]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with the newest schema and no rows, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Give an empty directory with a short name: the path of a socket has 100 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="consent-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture
def database(request: pytest.FixtureRequest, data_dir: Path) -> str:
    """Give the URL of a main database of this test's own: SQLite, or what `indirect` asks for."""
    if getattr(request, "param", "sqlite") == "postgresql":
        return str(request.getfixturevalue("own_postgres_database"))
    path = data_dir / "consent.sqlite"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return URL.create("sqlite", database=str(path)).render_as_string()


@pytest.fixture
def now() -> Clock:
    """Give the clock of this test; everything in it runs by this one."""
    return Clock()


@pytest.fixture
def config(data_dir: Path, database: str, now: Clock) -> Config:
    """Give settings with new secrets and no rate limits."""
    write_secrets(data_dir, now())
    begin_log(data_dir, now())
    environ = {"CONSENT_SERVICE_DATABASE_URL": database, "CONSENT_SERVICE_RATE_LIMITS": "off"}
    return load_config(environ, data_dir=data_dir)


@pytest.fixture
def core(config: Config, now: Clock) -> Iterator[Core]:
    """Give what commands and keeper work with; the application has a core of its own, as its process has."""
    made = make_core(config, now)
    yield made
    made.close()


@pytest.fixture
def site(core: Core, now: Clock) -> Site:
    """Give the news site of examples, its policy published as version 1."""
    settings = parse_settings((EXAMPLES / "site.toml").read_bytes(), format="toml")
    policy = parse_policy((EXAMPLES / "policy.toml").read_bytes(), format="toml")
    added = core.writer.run(lambda connection: add_site(connection, settings, actor="test", now=now()))
    core.writer.run(lambda connection: publish_policy(connection, added, policy, actor="test", now=now()))
    core.sites.revision.forget()
    return added


@pytest.fixture
def app(config: Config, now: Clock) -> Iterator[Flask]:
    """Give the application of one web worker."""
    made = create_app(config, now)
    yield made
    parts = made.extensions[EXTENSION]
    parts.inbox.close()
    parts.writer.close()
    parts.engine.dispose()


@pytest.fixture
def refresh(app: Flask, core: Core) -> Callable[[], None]:
    """Give a function that lets both processes see a change at once instead of half a second later."""

    def forget() -> None:
        core.sites.revision.forget()
        app.extensions[EXTENSION].sites.revision.forget()

    return forget


@pytest.fixture
def client(app: Flask, site: Site) -> FlaskClient:
    """Give a client of the application, which has one site."""
    return app.test_client()


@pytest.fixture
def keeper(config: Config, core: Core, site: Site) -> Iterator[KeeperInHand]:
    """Give a real keeper with its socket; it works when `turn` is called."""
    made = KeeperInHand(config, core)
    yield made
    made.close()


@pytest.fixture
def visitor(client: FlaskClient, site: Site) -> Visitor:
    """Give a browser on a page of the site."""
    return Visitor(client, site.key, site.origins[0])


@pytest.fixture
def api_token(core: Core, site: Site, now: Clock) -> TokenMaker:
    """Give a function that makes an API token of the site: `api_token("stats:read", is_public=True)`."""

    def make(*scopes: str, site_id: int | None = None, is_public: bool = False, days: int | None = None) -> str:
        _, text = core.writer.run(
            lambda connection: create_token(
                connection,
                site_id=site.site_id if site_id is None else site_id,
                scopes=[Scope(scope) for scope in scopes],
                is_public=is_public,
                expires_days=days,
                actor="test",
                now=now(),
            )
        )
        return text

    return make
