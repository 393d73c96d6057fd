"""Define what an event row holds and the tables of the event store, the same for every engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.types import TypeEngine, UserDefinedType

from consent_service.consent.gate import Grant

PAGEVIEW: Final = "pageview"
# Tells how long a page was looked at; it describes a pageview and is counted by no metric.
ENGAGEMENT: Final = "engagement"

# An event id is remembered this long, so that the same event sent again is stored once.
REMEMBER_IDS_FOR: Final = timedelta(days=8)
REMEMBER_ERASURES_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class EventRow:
    """Hold one event that a grant allows to be stored; a text that is unknown or not declared is empty.

    `occurred_at` and `received_at` are aware UTC. `click_id` is the kind of the click id (`gclid`), never its
    value; `screen` is a size class; `scroll` is a percentage.
    """

    grant: Grant
    event_id: UUID
    received_at: datetime
    occurred_at: datetime
    name: str
    hostname: str = ""
    path: str = ""
    query: str = ""
    referrer: str = ""
    source: str = ""
    channel: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_content: str = ""
    utm_term: str = ""
    click_id: str = ""
    device: str = ""
    browser: str = ""
    browser_version: str = ""
    os: str = ""
    os_version: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    screen: str = ""
    props: dict[str, str] = field(default_factory=dict)
    revenue_amount: Decimal | None = None
    revenue_currency: str = ""
    engaged_ms: int | None = None
    scroll: int | None = None


@dataclass(frozen=True, slots=True)
class InboxRange:
    """Say up to which sequence number an inbox is contained in a batch."""

    inbox_id: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold what is applied in one transaction: rows, counts of drops and how far each inbox was read.

    `drops` counts by (site id, day in the site's time zone, reason).
    """

    rows: list[EventRow] = field(default_factory=list)
    drops: dict[tuple[int, date, str], int] = field(default_factory=dict)
    watermarks: list[InboxRange] = field(default_factory=list)


class TextMap(UserDefinedType[dict[str, str]]):
    """Store a map of texts."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Name the column type (DuckDB; ClickHouse spells it `Map(String, String)`)."""
        return "MAP(VARCHAR, VARCHAR)"


# What a visit takes from its first event and every later row of it repeats, each with the data group that a policy must
# declare for it.
GROUP_OF: Final = {
    "referrer": "source",
    "source": "source",
    "channel": "source",
    "utm_source": "campaign",
    "utm_medium": "campaign",
    "utm_campaign": "campaign",
    "utm_content": "campaign",
    "utm_term": "campaign",
    "click_id": "source",
    "device": "device",
    "browser": "device",
    "browser_version": "device",
    "os": "device",
    "os_version": "device",
    "country": "country",
    "region": "region",
    "city": "city",
    "screen": "device",
}
VISIT_ATTRIBUTES: Final = tuple(GROUP_OF)


Kind = TypeEngine[Any] | type[TypeEngine[Any]]


def _column(name: str, kind: Kind, *, nullable: bool = False) -> Column[Any]:
    return Column(name, kind, nullable=nullable)


def _key(name: str, kind: Kind) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _at(name: str) -> Column[Any]:
    return _column(name, DateTime(timezone=True))


def _texts(*names: str) -> list[Column[Any]]:
    return [_column(name, Text) for name in names]


events_metadata = MetaData()


def _event_columns() -> list[Column[Any]]:
    return [
        _column("site_id", BigInteger),
        _at("occurred_at"),
        _at("received_at"),
        _column("event_id", Uuid),
        *_texts("name", "hostname", "path", "query"),
        *_texts(*VISIT_ATTRIBUTES),
        _column("props", TextMap()),
        _column("revenue_amount", Numeric(18, 4), nullable=True),
        *_texts("revenue_currency"),
        _column("engaged_ms", BigInteger, nullable=True),
        _column("scroll", SmallInteger, nullable=True),
        _column("visitor_id", BigInteger),
        _column("visit_id", BigInteger),
        _at("visit_started_at"),
        _column("receipt_id", Uuid),
        _column("decision_id", Uuid),
        _at("decided_at"),
        _column("policy_version", Integer),
        *_texts("notice_hash"),
        _column("purposes", ARRAY(Text)),
    ]


event = Table("event", events_metadata, *_event_columns())

# The events that are held: out of the table that every query reads, so that no query can forget to leave them out and
# none pays for it (GDPR recital 67: moving the data to another place makes it unavailable to its users).
held_event = Table("held_event", events_metadata, *_event_columns())

# What is held at present, as the keeper last heard: receipts, and sites as a whole (no receipt).
held = Table(
    "held",
    events_metadata,
    _column("site_id", BigInteger, nullable=True),
    _column("receipt_id", Uuid, nullable=True),
)

drop_count = Table(
    "drop_count",
    events_metadata,
    _key("site_id", BigInteger),
    _key("day", Date),
    _key("reason", Text),
    _column("n", BigInteger),
)

watermark = Table(
    "watermark",
    events_metadata,
    _key("inbox_id", Text),
    _column("last_seq", BigInteger),
)

recent_event = Table(
    "recent_event",
    events_metadata,
    _column("site_id", BigInteger),
    _column("event_id", Uuid),
    _at("received_at"),
)

open_visit = Table(
    "open_visit",
    events_metadata,
    _column("site_id", BigInteger),
    _column("visitor_id", BigInteger),
    _column("visit_id", BigInteger),
    _at("started_at"),
    _at("first_at"),
    _at("last_at"),
    _column("policy_version", Integer),
    *_texts(*VISIT_ATTRIBUTES),
)

# How many events an erasure deleted, until it is noted in the main database: a keeper may die between the two.
erasure_count = Table(
    "erasure_count",
    events_metadata,
    _key("erasure_id", Text),
    _column("events", BigInteger),
    _at("erased_at"),
)

# Since when deleted bytes may be on the disk: one row at most, gone from the file that a compaction writes.
deletion = Table(
    "deletion",
    events_metadata,
    _at("deleted_at"),
)
