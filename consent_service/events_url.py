"""Read where ClickHouse is: `clickhouse://user:password@host:port/database?secure=true&cluster=NAME`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

SHAPE: Final = "clickhouse://user:password@host:port/database"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_OPTIONS: Final = frozenset({"secure", "cluster"})


@dataclass(frozen=True, slots=True)
class EventsUrl:
    """Hold where ClickHouse answers and who asks; with a cluster its tables are replicated and sharded."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str = "default"
    is_secure: bool = False
    cluster: str | None = None


def parse_events_url(text: str) -> EventsUrl:
    """Read a URL; raises ValueError with what is wrong, never with the password."""
    parts = urlsplit(text)
    if parts.scheme != "clickhouse":
        raise ValueError(f"must be {SHAPE}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := set(options) - _OPTIONS:
        raise ValueError(f"has no option {', '.join(sorted(unknown))}; there are {', '.join(sorted(_OPTIONS))}")
    is_secure = options.get("secure", "false").lower() in ("1", "true", "yes")
    try:
        port = parts.port or (8443 if is_secure else 8123)
    except ValueError:
        raise ValueError(f"has a port that is none; write {SHAPE}") from None
    database, cluster = parts.path.strip("/") or "default", options.get("cluster")
    if not parts.hostname:
        raise ValueError(f"names no host; write {SHAPE}")
    for kind, name in (("database", database), ("cluster", cluster)):
        if name is not None and not _NAME.fullmatch(name):
            raise ValueError(f"names a {kind} with other characters than letters, digits and _")
    user, password = unquote(parts.username or "default"), unquote(parts.password or "")
    return EventsUrl(parts.hostname, port, user, password, database, is_secure, cluster)
