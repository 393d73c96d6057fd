"""Fill the log without a browser, and let an integrator work until nothing waits."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from consent_service.consent.publication import Publication
from consent_service.consent.record import Act, Terms, record_many
from consent_service.ledger.integrator import Integrator


def log_all(integrator: Integrator) -> int:
    """Log everything that waits; gives how many leaves there are."""
    while (done := integrator.integrate()).has_more:
        pass
    return done.size


def make_act(publication: Publication, now: datetime) -> Act:
    """Make the act of one who accepts everything."""
    version, banner = publication.current, publication.banner("fr")
    measured = frozenset(purpose.id for purpose in version.policy.purposes)
    return Act(
        site_id=publication.site.site_id,
        site_key=publication.site.key,
        action="accept_all",
        purposes=dict.fromkeys(sorted(measured), True),
        policy_version=version.version,
        policy_hash=version.content_hash,
        notice_hash=banner["banner_hash"],
        language="fr",
        mechanism="banner",
        terms=Terms(publication.rules.purpose, measured, version.material_version),
        decided_at=now,
        local_day=now.date(),
        expires_at=now + timedelta(days=180),
        is_under_signal=False,
        evidence={"script_hash": None},
        device="desktop",
        country="FR",
    )


def decide_many(connection: Connection, publication: Publication, count: int, now: datetime) -> list[str]:
    """Record as many grants of different visitors; gives their receipts."""
    done = record_many(connection, [make_act(publication, now)] * count)
    return [recorded.receipt_id for recorded in done if recorded.receipt_id is not None]
