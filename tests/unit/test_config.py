"""Settings: what is wrong is listed, all of it at once, and what is not said has its default."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent_service.config import PREFIX, Config, Rate, load_config
from consent_service.events_url import EventsUrl
from consent_service.problems import ProblemsError

KEY = "k" * 40
EVENTS, DECISIONS = Rate(50, 200), Rate(0.5, 30)


def load(directory: Path, **settings: str) -> Config:
    environ = {"SECRET_KEYS": KEY, **settings}
    return load_config({f"{PREFIX}{name}": value for name, value in environ.items()}, data_dir=directory)


def problems(directory: Path, **settings: str) -> list[str]:
    """Give the names of the settings that are refused."""
    with pytest.raises(ProblemsError) as refused:
        load(directory, **settings)
    return [problem.place for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("written", "rates"),
    [
        ("", {"events": EVENTS, "decisions": DECISIONS}),
        ("events=1/s:2", {"events": Rate(1, 2), "decisions": DECISIONS}),
        ("decisions=60/h:1", {"events": EVENTS, "decisions": Rate(1 / 60, 1)}),
        ("decisions=1/s:1, events=1/m:1", {"events": Rate(1 / 60, 1), "decisions": Rate(1, 1)}),
        (",", {"events": EVENTS, "decisions": DECISIONS}),
        ("off", {}),
    ],
)
def test_a_rate_that_is_not_named_keeps_its_default(tmp_path: Path, written: str, rates: dict[str, Rate]) -> None:
    found = load(tmp_path, RATE_LIMITS=written).rate_limits
    assert {name: rate for name, rate in found.items() if not name.startswith("site_")} == rates


@pytest.mark.parametrize(
    ("written", "events", "decisions"),
    [
        ("", Rate(5000, 20000), Rate(100, 2000)),
        ("site_events=1/s:2", Rate(1, 2), Rate(100, 2000)),
        # A site never has less than one address, unless it is said.
        ("decisions=500/s:9000", Rate(5000, 20000), Rate(500, 9000)),
        ("decisions=500/s:9000,site_decisions=1/m:1", Rate(5000, 20000), Rate(1 / 60, 1)),
    ],
)
def test_all_of_a_site_have_a_rate_too(tmp_path: Path, written: str, events: Rate, decisions: Rate) -> None:
    found = load(tmp_path, RATE_LIMITS=written).rate_limits
    assert (found["site_events"], found["site_decisions"]) == (events, decisions)


@pytest.mark.parametrize("name", ["GEOIP_DB", "REFERRER_SPAM"])
def test_a_file_that_is_missing_or_of_another_kind_stops_the_start(tmp_path: Path, name: str) -> None:
    assert problems(tmp_path, **{name: str(tmp_path / "none")}) == [f"{PREFIX}{name}"]
    (tmp_path / "other").write_bytes(b"\xff\xfe no such thing")
    assert problems(tmp_path, **{name: str(tmp_path / "other")}) == [f"{PREFIX}{name}"]


@pytest.mark.parametrize("written", ["fast", "events=0/s:1", "events=1/d:1", "logins=1/s:1", "events=off", "on"])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, written: str) -> None:
    assert problems(tmp_path, RATE_LIMITS=written) == [f"{PREFIX}RATE_LIMITS"]


@pytest.mark.parametrize("url", ["https://consent.example", "http://127.0.0.1:8000/", "https://[2001:db8::1]:8443"])
def test_the_public_address_is_scheme_and_host(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, PUBLIC_URL=url).public_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "consent.example",
        "ftp://consent.example",
        "https://",
        "https://consent.example/path",
        "https://consent.example?query",
        "https://consent.example/?",
        "https://consent.example:0",
        "https://consent.example#part",
        "https://user:password@consent.example",
        "https://consent.example:port",
        "https://consent.example:99999",
        "http://[",
        "http://[::1",
        "http://[zz]",
    ],
)
def test_any_other_public_address_is_a_listed_problem(tmp_path: Path, url: str) -> None:
    assert problems(tmp_path, PUBLIC_URL=url, LOG_LEVEL="loud") == [f"{PREFIX}PUBLIC_URL", f"{PREFIX}LOG_LEVEL"]


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/name", "postgresql://host:port/name", "postgresql://[::1/n"])
def test_a_database_address_that_is_none_is_a_listed_problem(tmp_path: Path, url: str) -> None:
    assert problems(tmp_path, DATABASE_URL=url, WORKERS="many") == [f"{PREFIX}DATABASE_URL", f"{PREFIX}WORKERS"]


MAIL = {"ANCHOR_EMAIL": "dpo@site.example", "SMTP_FROM": "ledger@site.example"}
SECRET = "c2VjcmV0" * 4


def test_anchors_are_read_from_the_settings(tmp_path: Path) -> None:
    anchors = load(
        tmp_path,
        ANCHOR_WEBHOOK_URL="https://hooks.example/in?x=1",
        ANCHOR_WEBHOOK_SECRET=f"whsec_{SECRET}",
        SMTP_URL="smtps://me%40x:p%3Aw@mail.example",
        **MAIL,
    ).anchors
    assert anchors.webhook is not None
    assert anchors.mailbox is not None
    assert anchors.webhook.secret == b"secret" * 4
    server = anchors.mailbox.server
    assert (server.host, server.port, server.user, server.password) == ("mail.example", 465, "me@x", "p:w")
    assert "p:w" not in repr(anchors)
    assert "secret" not in repr(anchors.webhook).replace("secret=", "")


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        ({"ANCHOR_TIMESTAMP_URL": "http://stamps.example"}, ["ANCHOR_TIMESTAMP_ROOTS"]),
        ({"ANCHOR_TIMESTAMP_URL": "ftp://x", "ANCHOR_TIMESTAMP_ROOTS": "/none"},
         ["ANCHOR_TIMESTAMP_ROOTS", "ANCHOR_TIMESTAMP_URL"]),
        ({"ANCHOR_WEBHOOK_SECRET": SECRET}, ["ANCHOR_WEBHOOK_URL"]),
        ({"ANCHOR_WEBHOOK_URL": "https://u:p@h.example", "ANCHOR_WEBHOOK_SECRET": "short"},
         ["ANCHOR_WEBHOOK_URL", "ANCHOR_WEBHOOK_SECRET"]),
        ({"ANCHOR_WEBHOOK_URL": "file:///etc/passwd", "ANCHOR_WEBHOOK_SECRET": SECRET}, ["ANCHOR_WEBHOOK_URL"]),
        ({"ANCHOR_EMAIL": "dpo@site.example"}, ["SMTP_URL", "SMTP_FROM"]),
        ({**MAIL, "ANCHOR_EMAIL": "a@b.example\nBcc: c@d.example", "SMTP_URL": "smtp://m.example"}, ["ANCHOR_EMAIL"]),
        ({**MAIL, "SMTP_URL": "smtp+plain://mail.example"}, ["SMTP_URL"]),
        ({**MAIL, "SMTP_URL": "smtp://user@mail.example"}, ["SMTP_URL"]),
        ({**MAIL, "SMTP_URL": "mail.example:25"}, ["SMTP_URL"]),
    ],
)  # fmt: skip
def test_every_problem_of_an_anchor_is_listed(tmp_path: Path, settings: dict[str, str], places: list[str]) -> None:
    assert problems(tmp_path, **settings) == [f"{PREFIX}{place}" for place in places]


PG = "postgresql://u:p@db/consent"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("clickhouse://u:p%40ss@events:8124/consent", EventsUrl("events", 8124, "u", "p@ss", "consent")),
        ("clickhouse://events", EventsUrl("events", 8123, "default", "")),
        (
            "clickhouse://events/consent?secure=true&cluster=main",
            EventsUrl("events", 8443, "default", "", "consent", True, "main"),
        ),
    ],
)
def test_the_event_store_may_be_clickhouse(tmp_path: Path, url: str, found: EventsUrl) -> None:
    assert load(tmp_path).events_url is None
    assert load(tmp_path, DATABASE_URL=PG, EVENTS_URL=url).events_url == found


@pytest.mark.parametrize(
    "url",
    [
        "duckdb:///x",
        "clickhouse:///consent",
        "clickhouse://h:port/consent",
        "clickhouse://h/consent;drop",
        "clickhouse://h/consent?cluster=a'b",
        "clickhouse://h/consent?speed=1",
    ],
)
def test_a_wrong_address_of_clickhouse_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(ProblemsError) as refused:
        load(tmp_path, DATABASE_URL=PG, EVENTS_URL=url.replace("://", "://me:a-secret@"))
    assert [problem.place for problem in refused.value.problems] == [f"{PREFIX}EVENTS_URL"]
    assert "a-secret" not in str(refused.value)


def test_clickhouse_goes_with_postgresql_alone(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match="ClickHouse goes with PostgreSQL; set DATABASE_URL"):
        load(tmp_path, EVENTS_URL="clickhouse://u:a-secret@h/consent")
    assert "a-secret" not in repr(load(tmp_path, DATABASE_URL=PG, EVENTS_URL="clickhouse://u:a-secret@h/consent"))
