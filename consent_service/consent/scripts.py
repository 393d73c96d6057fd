"""Know every script the service has served: what a decision says it ran leads to the bytes and the release."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from itertools import combinations
from typing import Final

from sqlalchemy import ColumnElement, Connection, select

import consent_service
from consent_service.db.tables import client_script
from consent_service.db.upsert import insert_missing
from consent_service.resources import data_dir

# As many digits of its hash as a bundle says of itself: each costs every visit half a byte.
SHORT: Final = 8
_HASH: Final = re.compile(rf"[0-9a-f]{{{SHORT},64}}")
_INTEGRITY: Final = re.compile(r"sha384-[A-Za-z0-9+/]{64}")


class Part(StrEnum):
    """Name the parts of the client that join a site's bundle only where they are used."""

    SIGNALS = "signals"
    AGAIN = "again"
    COVERAGE = "coverage"


@dataclass(frozen=True, slots=True)
class Script:
    """Hold one client as a page runs it, with what it fetches on demand; `body` is what `script_hash` is of."""

    name: str
    body: bytes

    @property
    def script_hash(self) -> str:
        """Give the SHA-256 in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def integrity(self) -> str:
        """Give the hash as a page pins it."""
        return f"sha384-{base64.b64encode(hashlib.sha384(self.body).digest()).decode()}"


@dataclass(frozen=True, slots=True)
class Release:
    """Tell which script a hash means, and the version of the service that served it first."""

    script_hash: str
    name: str
    version: str


@cache
def read_static(name: str) -> bytes:
    """Read a built file of the client, once."""
    return (data_dir("static") / name).read_bytes()


def read_part(part: Part) -> bytes:
    """Read a part that joins the bundles of the sites that use it."""
    return read_static(f"consent.{part}.js")


@cache
def bundle_script(*, is_dialog: bool, parts: tuple[Part, ...]) -> Script:
    """Give the client of a site's bundle: with the modal layout or not, and with some parts."""
    names = ["consent.dialog.js" if is_dialog else "consent.core.js", "consent.more.js"]
    names = [*(f"consent.{part}.js" for part in parts), *names]
    return Script(" + ".join(names), b"".join(read_static(name) for name in names))


@cache
def served_scripts() -> tuple[Script, ...]:
    """Give every script this release serves; the one to be pinned holds the hashes of what it fetches on demand."""
    some = [parts for count in range(len(Part) + 1) for parts in combinations(Part, count)]
    bundles = [bundle_script(is_dialog=is_dialog, parts=parts) for is_dialog in (False, True) for parts in some]
    return (Script("consent.v1.js", read_static("consent.js")), *bundles)


def keep_scripts(connection: Connection, now: datetime) -> None:
    """Keep every script that this release serves and that is not kept yet."""
    for script in served_scripts():
        values = {
            "script_hash": script.script_hash,
            "integrity": script.integrity,
            "name": script.name,
            "version": consent_service.__version__,
            "body": script.body,
            "created_at": now,
        }
        insert_missing(connection, client_script, values)


def find_release(connection: Connection, said: str | None) -> Release | None:
    """Give the script a decision says it ran; None when it says nothing, or something this service never served.

    A bundle says the first digits of its hash, a pinned script the hash its page holds it to.
    """
    where = None if said is None else _where(said)
    if where is None:
        return None
    columns = (client_script.c.script_hash, client_script.c.name, client_script.c.version)
    found = connection.execute(select(*columns).where(where).limit(2)).all()
    return Release(*found[0]) if len(found) == 1 else None


def read_script(connection: Connection, script_hash: str) -> bytes | None:
    """Give the bytes whose SHA-256 a hash is, None when none are kept."""
    return connection.execute(
        select(client_script.c.body).where(client_script.c.script_hash == script_hash)
    ).scalar_one_or_none()


def _where(said: str) -> ColumnElement[bool] | None:
    if _HASH.fullmatch(said):
        return client_script.c.script_hash.startswith(said)
    pinned = _INTEGRITY.search(said)
    return None if pinned is None else client_script.c.integrity == pinned.group()
