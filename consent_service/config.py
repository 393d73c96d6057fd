"""Read the settings: from the environment, a `.env` in the data directory and the secrets file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import maxminddb
from dotenv import dotenv_values
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from consent_service.anchor_settings import NAMES as ANCHOR_NAMES
from consent_service.anchor_settings import AnchorSettings, read_anchor_settings
from consent_service.events_url import EventsUrl, parse_events_url
from consent_service.problems import Problem, ProblemsError
from consent_service.secrets import SecretKey, parse_keys, read_secrets

PREFIX = "CONSENT_SERVICE_"
NAMES = (
    "DATA_DIR",
    "DATABASE_URL",
    "EVENTS_URL",
    "SECRET_KEYS",
    "PUBLIC_URL",
    "TRUSTED_PROXIES",
    "GEOIP_DB",
    "REFERRER_SPAM",
    "WORKERS",
    "RATE_LIMITS",
    "LOG_LEVEL",
    *ANCHOR_NAMES,
)
# What is to be done with the file of `has_unmoved_events`.
UNMOVED = "is not yet in ClickHouse; run: consent-service migrate-events"
LOG_LEVELS = ("debug", "info", "warning", "error")
DEFAULT_RATE_LIMITS = "events=50/s:200,decisions=30/m:30"
# What all senders of a site have together. One that is not named is never less than what a single address has.
DEFAULT_SITE_RATE_LIMITS = "site_events=5000/s:20000,site_decisions=100/s:2000"
RATE_NAMES = ("events", "decisions", "site_events", "site_decisions")
_RATE = re.compile(r"(?P<rate>\d{1,7})/(?P<unit>[smh]):(?P<burst>\d{1,7})")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Rate:
    """Allow `per_second` requests on average and `burst` at once."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Config:
    """Hold every setting, checked."""

    data_dir: Path
    database_url: str
    secret_keys: tuple[SecretKey, ...]
    public_url: str
    trusted_proxies: tuple[Network, ...]
    geoip_db: Path | None
    referrer_spam: Path | None
    workers: int
    rate_limits: Mapping[str, Rate]
    log_level: str
    anchors: AnchorSettings = AnchorSettings()
    # Where ClickHouse is; None: events are in a file of the data directory.
    events_url: EventsUrl | None = None
    # Loopback is not rate limited in the demo, where all visitors share it.
    is_demo: bool = False

    @property
    def events_path(self) -> Path:
        """Name the file of the embedded event store."""
        return self.data_dir / "events.duckdb"

    @property
    def moved_events_path(self) -> Path:
        """Name what the file of the embedded event store becomes once its events are in ClickHouse."""
        return self.data_dir / "events.duckdb.moved"

    @property
    def has_unmoved_events(self) -> bool:
        """Tell whether there are events in the embedded store while ClickHouse is to be used."""
        return self.events_url is not None and self.events_path.exists()

    @property
    def inbox_dir(self) -> Path:
        """Name the folder of the workers' inboxes."""
        return self.data_dir / "inbox"

    @property
    def journal_path(self) -> Path:
        """Name the file of what a restored backup must not forget."""
        return self.data_dir / "erasures.ndjson"

    @property
    def socket_path(self) -> Path:
        """Name the keeper's socket."""
        return self.data_dir / "keeper.sock"


def load_config(
    environ: Mapping[str, str] | None = None,
    *,
    data_dir: Path | None = None,
    port: int = 8000,
    workers: int | None = None,
    is_demo: bool = False,
    now: datetime | None = None,
) -> Config:
    """Read and check all settings; `data_dir` and `workers` win over the environment.

    Signing keys that were replaced too long ago at `now`, else at this moment, are left out.
    Raises ProblemsError with every wrong or missing setting at once.
    """
    environ = os.environ if environ is None else environ
    directory = directory_of(data_dir, environ)
    reader = _Reader(read_settings(directory, environ))
    reader.unknown_names()
    config = Config(
        data_dir=directory,
        database_url=reader.database_url(directory),
        secret_keys=reader.secret_keys(directory, now or datetime.now(UTC)),
        public_url=reader.public_url(port),
        trusted_proxies=reader.trusted_proxies(),
        geoip_db=reader.file("GEOIP_DB", check_places),
        referrer_spam=reader.file("REFERRER_SPAM", check_hosts),
        workers=reader.workers() if workers is None else workers,
        rate_limits=reader.rate_limits(),
        log_level=reader.log_level(),
        anchors=read_anchor_settings(reader.settings, reader.problem),
        events_url=reader.events_url(),
        is_demo=is_demo,
    )
    if reader.problems:
        raise ProblemsError(reader.problems)
    return config


def directory_of(data_dir: Path | None, environ: Mapping[str, str] | None = None) -> Path:
    """Give the data directory: the one that is named, else the setting's, else ./data."""
    environ = os.environ if environ is None else environ
    return (data_dir or Path(environ.get(f"{PREFIX}DATA_DIR") or "data")).absolute()


def read_settings(directory: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Read the settings as they are written, by name without the prefix; the environment wins over the file."""
    environ = os.environ if environ is None else environ
    file = directory / ".env"
    values = {k: v for k, v in dotenv_values(file).items() if v is not None} if file.is_file() else {}
    merged = {**values, **environ}
    return {k.removeprefix(PREFIX): v.strip() for k, v in merged.items() if k.startswith(PREFIX)}


class _Reader:
    """Read setting after setting and keep every problem."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.settings = settings
        self.problems: list[Problem] = []

    def problem(self, name: str, message: str) -> None:
        self.problems.append(Problem(f"{PREFIX}{name}", None, message))

    def unknown_names(self) -> None:
        for name in sorted(set(self.settings) - set(NAMES)):
            # Names for tests and tools of this prefix do not exist: a misspelt setting must not pass in silence.
            self.problem(name, f"there is no such setting; there are {', '.join(NAMES)}")

    def database_url(self, directory: Path) -> str:
        value = self.settings.get("DATABASE_URL")
        if not value:
            return f"sqlite:///{directory / 'consent.sqlite'}"
        try:
            backend = make_url(value).get_backend_name()
        except (ArgumentError, ValueError):
            self.problem("DATABASE_URL", "is not a database URL; use postgresql://user:password@host/name")
            return value
        if backend not in ("postgresql", "sqlite"):
            self.problem("DATABASE_URL", f"{backend} is not supported; use postgresql:// or leave it out for SQLite")
        return value

    def events_url(self) -> EventsUrl | None:
        value = self.settings.get("EVENTS_URL")
        if not value:
            return None
        try:
            found = parse_events_url(value)
        except ValueError as error:
            self.problem("EVENTS_URL", str(error))
            return None
        if not self.settings.get("DATABASE_URL", "").startswith("postgres"):
            self.problem("EVENTS_URL", "ClickHouse goes with PostgreSQL; set DATABASE_URL to postgresql://…")
        if find_spec("clickhouse_connect") is None:
            self.problem("EVENTS_URL", "its client is not installed; run: pip install 'consent-service[clickhouse]'")
        return found

    def secret_keys(self, directory: Path, now: datetime) -> tuple[SecretKey, ...]:
        value = self.settings.get("SECRET_KEYS")
        try:
            return parse_keys(value) if value else read_secrets(directory, now)
        except ProblemsError as error:
            self.problems.extend(error.problems)
            return ()

    def public_url(self, port: int) -> str:
        value = self.settings.get("PUBLIC_URL") or f"http://127.0.0.1:{port}"
        if not _is_scheme_and_host(value):
            self.problem("PUBLIC_URL", "must be scheme and host alone, like https://consent.example")
        return value.rstrip("/")

    def trusted_proxies(self) -> tuple[Network, ...]:
        networks: list[Network] = []
        for item in filter(None, re.split(r"[,\s]+", self.settings.get("TRUSTED_PROXIES", ""))):
            try:
                networks.append(ip_network(item))
            except ValueError:
                self.problem("TRUSTED_PROXIES", f"{item!r} is not a network in CIDR form, like 10.0.0.0/8")
        return tuple(networks)

    def file(self, name: str, check: Callable[[Path], None]) -> Path | None:
        value = self.settings.get(name)
        if not value:
            return None
        try:
            check(Path(value))
        except FileNotFoundError:
            self.problem(name, f"there is no file {value}")
        except (OSError, ValueError, RuntimeError) as error:
            self.problem(name, f"{value} cannot be read: {error}")
        return Path(value)

    def workers(self) -> int:
        value = self.settings.get("WORKERS")
        if not value:
            return max(1, os.cpu_count() or 1)
        if not value.isdecimal() or not 1 <= int(value) <= 64:
            self.problem("WORKERS", "must be a whole number from 1 to 64")
            return 1
        return int(value)

    def rate_limits(self) -> dict[str, Rate]:
        value = self.settings.get("RATE_LIMITS", "")
        rates: dict[str, Rate] = {}
        if value == "off":
            return rates
        # What is not named keeps its default: a limit is lifted by saying so alone.
        for item in filter(None, f"{DEFAULT_RATE_LIMITS},{DEFAULT_SITE_RATE_LIMITS},{value}".split(",")):
            name, _, rule = item.strip().partition("=")
            match = _RATE.fullmatch(rule)
            if name not in RATE_NAMES or match is None or int(match["rate"]) == 0:
                self.problem("RATE_LIMITS", f"{item.strip()!r} is not like {DEFAULT_RATE_LIMITS}, nor 'off'")
                continue
            rates[name] = Rate(int(match["rate"]) / _UNIT_SECONDS[match["unit"]], max(1, int(match["burst"])))
        for name in ("events", "decisions"):
            if f"site_{name}=" not in value:
                one, all_ = rates[name], rates[f"site_{name}"]
                rates[f"site_{name}"] = Rate(max(one.per_second, all_.per_second), max(one.burst, all_.burst))
        return rates

    def log_level(self) -> str:
        value = (self.settings.get("LOG_LEVEL") or "info").lower()
        if value not in LOG_LEVELS:
            self.problem("LOG_LEVEL", f"must be one of {', '.join(LOG_LEVELS)}")
        return value


def check_places(path: Path) -> None:
    """Raise OSError, ValueError or RuntimeError for a file that is no MMDB."""
    maxminddb.open_database(path).close()


def check_hosts(path: Path) -> None:
    """Raise OSError or ValueError for a file that is no text."""
    path.read_text("utf-8")


def _is_scheme_and_host(value: str) -> bool:
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False
    return has_host and parts.scheme in ("http", "https") and value.rstrip("/") == f"{parts.scheme}://{parts.netloc}"
