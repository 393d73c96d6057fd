"""Hold what the parts of a running application share; made once, in app.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from consent_service.browser.limits import RateLimiter, ReceiptQuota
    from consent_service.browser.place import Lookup
    from consent_service.collect.inbox import Inbox
    from consent_service.collect.timings import StepTimes
    from consent_service.config import Config
    from consent_service.consent.publication import Publications
    from consent_service.consent.receipts import Receipts
    from consent_service.consent.shelf import Shelf
    from consent_service.consent.tokens import TokenSigner
    from consent_service.db.writer import Writer
    from consent_service.events.store import Reader
    from consent_service.sites.registry import Site, Sites

EXTENSION = "consent_service"


@dataclass(frozen=True, slots=True)
class Services:
    """Hold the application's parts: settings, clock, stores, caches."""

    config: Config
    now: Callable[[], datetime]
    engine: Engine
    writer: Writer
    sites: Sites
    publications: Publications
    shelf: Shelf
    receipts: Receipts
    signer: TokenSigner
    inbox: Inbox
    limiter: RateLimiter
    quota: ReceiptQuota
    lookup: Lookup
    spam_hosts: Callable[[], frozenset[str]]
    step_times: StepTimes
    reader: Reader
    is_keeper_ready: Callable[[], bool]
    # The log's present checkpoint, signed by the keeper with lines that say more.
    sign_checkpoint: Callable[[list[str]], str]
    # Everything stored under a site's receipt, in a named format: the consent part cannot reach the event store.
    copy_receipt: Callable[[Site, str, datetime, str], Iterator[bytes]]


def services() -> Services:
    """Give the parts of the application that answers the present request."""
    return cast(Services, current_app.extensions[EXTENSION])
