"""Count whom a new policy version asks again: choices in force in the database, nothing estimated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from consent_service.consent.policy_model import Policy
from consent_service.consent.publication import Publication
from consent_service.consent.successor import asks_refusers
from consent_service.db.tables import decision, receipt


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """Hold how many choices in force are asked again; refusals are acts, for no identifier says whose they are."""

    grants: int
    refusals: int

    def document(self) -> dict[str, int]:
        """Give the counts as JSON-able members."""
        return {"grants": self.grants, "refusals": self.refusals}

    def __str__(self) -> str:
        if not self.grants and not self.refusals:
            return "Nobody whose choice is in force is asked again."
        grants = f"{self.grants} grant{'s' if self.grants != 1 else ''}"
        refusals = f"{self.refusals} refusal{'s' if self.refusals != 1 else ''}"
        return f"Asked again: {grants} and {refusals} in force. Refusals have no identifier: acts, not people."


def count_asked(connection: Connection, publication: Publication, first: int, last: int, now: datetime) -> AskedAgain:
    """Count the choices in force that the versions after `first` up to `last` ask again."""
    policies = {number: version.policy for number, version in publication.versions.items()}
    steps = [number for number in sorted(policies) if first < number <= last]
    material = max((number for number in steps if policies[number].material_purposes), default=0)
    refusal = max((number for number in steps if asks_refusers(policies[number - 1], policies[number])), default=0)
    return count_before(connection, publication.site.site_id, material, refusal, now)


def count_asked_by(connection: Connection, publication: Publication, new: Policy, now: datetime) -> AskedAgain:
    """Count the choices in force that a policy would ask again if it were published now."""
    following = publication.current.version + 1
    material = following if new.material_purposes else 0
    refusal = following if asks_refusers(publication.current.policy, new) else 0
    return count_before(connection, publication.site.site_id, material, refusal, now)


def count_before(
    connection: Connection, site_id: int, grants_before: int, refusals_before: int, now: datetime
) -> AskedAgain:
    """Count the choices in force of versions before one for grants, and before one for refusals."""
    in_force = (receipt.c.site_id == site_id, receipt.c.expires_at > now)
    granted = select(func.count()).where(
        *in_force, receipt.c.withdrawn_at.is_(None), receipt.c.policy_version < grants_before
    )
    withdrawn = select(func.count()).where(
        *in_force, receipt.c.withdrawn_at.is_not(None), receipt.c.policy_version < refusals_before
    )
    refused = select(func.count()).where(
        decision.c.site_id == site_id,
        decision.c.receipt_id.is_(None),
        decision.c.expires_at > now,
        decision.c.policy_version < refusals_before,
    )
    count = (connection.execute(statement).scalar_one() for statement in (granted, withdrawn, refused))
    grants, taken_back, refusals = count
    return AskedAgain(grants, taken_back + refusals)
