"""Tell a visitor what their token stands for today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from consent_service.consent.erasure import Erasure, find_erasure
from consent_service.consent.hold import HoldKind, holds_of
from consent_service.consent.publication import Publication
from consent_service.consent.receipts import read_states
from consent_service.consent.tokens import Token
from consent_service.sites.reporting import local_date


class Standing(StrEnum):
    """Say how a choice stands."""

    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Choice:
    """Hold a visitor's choice as it stands; days are the site's, those of a refusal UTC like its stamp.

    `purposes` are the ids granted; a refusal has no receipt, a withdrawal no end. A legal claim holds the data, of this
    visitor or of the whole site, or it is suspended because the visitor asked; neither once it is erased.
    """

    standing: Standing
    decided_on: date
    expires_on: date | None
    policy_version: int
    purposes: tuple[str, ...]
    receipt_id: str | None
    erasure: Erasure | None
    is_on_hold: bool
    is_suspended: bool


def read_choice(connection: Connection, token: Token, publication: Publication) -> Choice | None:
    """Read what a token of the site stands for; None when its receipt was erased with its records."""
    if token.receipt_id is None:
        return _refusal(token, publication)
    state = read_states(connection, [token.receipt_id]).get(token.receipt_id)
    if state is None or state.site_id != publication.site.site_id:
        return None
    is_granted = bool(state.purposes)
    erasure = None if is_granted else find_erasure(connection, state.receipt_id)
    is_kept = erasure is None or erasure.status != "done"
    holds = holds_of(connection, state.site_id, state.receipt_id) if is_kept else []
    kinds = {each.kind for each in holds}
    return Choice(
        standing=Standing.GRANTED if is_granted else Standing.WITHDRAWN,
        decided_on=local_date(publication.site, state.decided_at),
        expires_on=local_date(publication.site, state.expires_at) if is_granted else None,
        policy_version=state.policy_version,
        purposes=state.purposes,
        receipt_id=state.receipt_id,
        erasure=erasure,
        is_on_hold=HoldKind.LEGAL in kinds,
        is_suspended=HoldKind.RESTRICTION in kinds,
    )


def _refusal(token: Token, publication: Publication) -> Choice:
    version = publication.versions.get(token.policy_version, publication.current)
    day = token.issued_at.date()
    return Choice(
        standing=Standing.REFUSED,
        decided_on=day,
        expires_on=day + timedelta(days=version.policy.refusal_days),
        policy_version=token.policy_version,
        purposes=(),
        receipt_id=None,
        erasure=None,
        is_on_hold=False,
        is_suspended=False,
    )
