"""Tell what an administrator's API token may reach: its own site, and nothing of any other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from consent_service.browser.body import read_json
from consent_service.documents import MAX_FILE_BYTES
from consent_service.errors import Conflict, Forbidden, Invalid, NotFound
from consent_service.problems import Problem
from consent_service.services import services
from consent_service.sites.access import Access, Scope
from consent_service.sites.changes import UnknownSite, find_site
from consent_service.sites.registry import Site
from consent_service.sites.reporting import require_access
from consent_service.web import read_body

T = TypeVar("T")

_STEP: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class Administrator:
    """Hold who asks: a token with the scope `admin`, its site, and its name in the audit trail."""

    access: Access
    site: Site

    @property
    def actor(self) -> str:
        """Name the token in the audit trail."""
        return f"token:{self.access.token_id}"

    def own(self, connection: Connection, key: str) -> Site:
        """Read the site a call names; raises NotFound, and Forbidden when it is not the token's own."""
        try:
            found = find_site(connection, key)
        except UnknownSite as error:
            raise NotFound(str(error)) from error
        if found.site_id != self.access.site_id:
            raise Forbidden("the API token belongs to another site")
        return found


def require_admin() -> Administrator:
    """Give who asks; raises Unauthenticated, or Forbidden without the scope `admin`."""
    access = require_access(Scope.ADMIN)
    site = services().sites.by_id(access.site_id)
    if site is None:
        raise Forbidden("the site of the API token is not there any more")
    return Administrator(access, site)


def read_strict() -> tuple[bytes, Any]:
    """Read the request's body as it was sent and as JSON, as large as a policy file may be."""
    body = read_body(MAX_FILE_BYTES, ("application/json",))
    return body, read_json(body, limit=MAX_FILE_BYTES)


def write(work: Callable[[Connection, datetime], T]) -> T:
    """Do something in a transaction and let this process see it at once; raises Conflict when another was faster."""
    parts = services()
    now = parts.now()
    try:
        done = parts.writer.run(lambda connection: work(connection, now))
    except IntegrityError as error:
        raise Conflict("something else was changed at the same moment; send it again") from error
    parts.sites.revision.forget()
    return done


def as_invalid(problems: Iterable[Problem]) -> Invalid:
    """Give the problems of a strict document as an error with one JSON pointer (RFC 6901) each."""
    return Invalid([(pointer(problem.place), problem.message) for problem in problems])


def pointer(place: str) -> str:
    """Write a place such as `purposes[0].title.fr` as the JSON pointer `/purposes/0/title/fr` (RFC 6901)."""
    steps = (index or key for index, key in _STEP.findall(place))
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
