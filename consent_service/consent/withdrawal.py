"""Withdraw a consent: as easy as giving it (GDPR art. 7(3)), never failing for age, version or evidence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from consent_service.consent.acts import erasure_document, refusal_token, terms_of
from consent_service.consent.banner import resolve_language
from consent_service.consent.decision import Action, WithdrawalRequest
from consent_service.consent.erasure import Erasure, find_erasure, request_erasure
from consent_service.consent.gate import Refusal
from consent_service.consent.hold import lift_restrictions
from consent_service.consent.idempotency import find_answer, keep_answer
from consent_service.consent.publication import PolicyVersion, Publication
from consent_service.consent.receipts import lock_state
from consent_service.consent.record import Act, record
from consent_service.consent.tokens import (
    ExpiredToken,
    Token,
    TokenError,
    TokenSigner,
    cut_to_day,
    purpose_bits,
)
from consent_service.db.tables import revocation
from consent_service.errors import Refused
from consent_service.sites.reporting import local_date
from consent_service.times import timestamp


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Tell what a withdrawal ended, how far its erasure is, and what is still granted under which policy version."""

    receipt_id: str | None
    withdrawn_at: datetime
    purposes: tuple[str, ...]
    erasure: Erasure | None
    kept: tuple[str, ...]
    policy_version: int


def open_for_withdrawal(signer: TokenSigner, text: str | None, site_key: str, now: datetime) -> Token:
    """Read the token of a withdrawal, expired or not; raises Refused when it is missing, forged or another site's."""
    if not text:
        raise Refused(Refusal.TOKEN_MISSING, "a withdrawal needs the token of the consent")
    try:
        token = signer.open(text, now)
    except ExpiredToken as expired:
        token = expired.token
    except TokenError as error:
        raise Refused(Refusal.TOKEN_INVALID, str(error)) from error
    if token.site_key != site_key:
        raise Refused(Refusal.WRONG_SITE, "the token belongs to another site")
    return token


def withdraw(
    connection: Connection,
    request: WithdrawalRequest,
    token: Token,
    publication: Publication,
    signer: TokenSigner,
    digest: str,
    now: datetime,
    *,
    erases: bool = True,
) -> bytes:
    """Withdraw in the writer's transaction and give the answer's JSON; twice gives the first `withdrawn_at`.

    `erases` is False only where the visitor said so on their own page.
    """
    site = publication.site
    first = find_answer(connection, site.site_id, request.idempotency_key, digest, now)
    if first is not None:
        return first
    if token.receipt_id is not None and erases:
        # Whoever asked that nothing be used, and now wants it gone, is not to wait for the one before the other.
        lift_restrictions(connection, site.site_id, token.receipt_id, now)
    row = None if token.receipt_id is None else lock_state(connection, token.receipt_id)
    if row is None:
        done = Withdrawn(token.receipt_id, now, (), None, (), token.policy_version)
    else:
        done = _withdraw(connection, request, dict(row._mapping), publication, now, erases=erases)
    answer = orjson.dumps(_answer(done, token, publication, signer, now))
    keep_answer(connection, site.site_id, request.idempotency_key, digest, answer, now)
    return answer


def withdraw_receipt(
    connection: Connection,
    receipt_id: str,
    publication: Publication,
    now: datetime,
    *,
    purposes: Collection[str] | None = None,
    erases: bool = True,
) -> bool:
    """Withdraw what a receipt still grants, all of it or some purposes, without a token; tells whether it granted any.

    For an erasure that the officer decided, and for what a restored backup has not heard of.
    """
    if erases:
        lift_restrictions(connection, publication.site.site_id, receipt_id, now)
    row = lock_state(connection, receipt_id)
    wanted = () if row is None else tuple(each for each in row.purposes if purposes is None or each in purposes)
    if row is None or not wanted:
        return False
    request = WithdrawalRequest(site=publication.site.key, purposes=list(wanted))
    _withdraw(connection, request, dict(row._mapping), publication, now, erases=erases)
    return True


def _withdraw(
    connection: Connection,
    request: WithdrawalRequest,
    prior: dict[str, Any],
    publication: Publication,
    now: datetime,
    *,
    erases: bool,
) -> Withdrawn:
    before = tuple(prior["purposes"])
    wanted = before if request.purposes is None else tuple(item for item in before if item in request.purposes)
    if not wanted:
        return _again(connection, request, prior, publication, now, erases=erases)
    kept = tuple(purpose for purpose in before if purpose not in wanted)
    version = publication.versions.get(prior["policy_version"], publication.current)
    act = _act(request, prior, publication, version, kept, now)
    done = record(connection, act, prior, erases=erases)
    return Withdrawn(done.receipt_id, now, done.withdrawn, done.erasure, kept, version.version)


def _again(
    connection: Connection,
    request: WithdrawalRequest,
    prior: Mapping[str, Any],
    publication: Publication,
    now: datetime,
    *,
    erases: bool,
) -> Withdrawn:
    """Tell once more what ended before; what was kept then is erased now, when that is what is asked."""
    receipt_id, kept, version = prior["receipt_id"], tuple(prior["purposes"]), prior["policy_version"]
    first = _find_revocation(connection, receipt_id, request.purposes)
    if first is None:
        return Withdrawn(receipt_id, now, (), None, kept, version)
    erasure = find_erasure(connection, receipt_id, first.revoked_at)
    owes_erasure = not kept or not terms_of(publication).measured.isdisjoint(first.purposes)
    if erasure is None and erases and owes_erasure:
        erasure = request_erasure(
            connection, site_id=prior["site_id"], receipt_id=receipt_id, reason="request", now=now, number=first.number
        )
    wanted = first.purposes if request.purposes is None else request.purposes
    ended = tuple(purpose for purpose in first.purposes if purpose in wanted)
    return Withdrawn(receipt_id, first.revoked_at, ended, erasure, kept, version)


def _find_revocation(
    connection: Connection, receipt_id: str, purposes: Sequence[str] | None
) -> Row[*tuple[Any, ...]] | None:
    """Find the newest withdrawal of a receipt that ended one of the purposes; of any of them for None."""
    of_receipt = select(revocation).where(revocation.c.receipt_id == receipt_id)
    for row in connection.execute(of_receipt.order_by(revocation.c.number.desc())):
        if purposes is None or not set(purposes).isdisjoint(row.purposes):
            return row
    return None


def _act(
    request: WithdrawalRequest,
    prior: dict[str, Any],
    publication: Publication,
    version: PolicyVersion,
    kept: tuple[str, ...],
    now: datetime,
) -> Act:
    refused_until = cut_to_day(now) + timedelta(days=version.policy.refusal_days)
    ids = dict.fromkeys([*(purpose.id for purpose in version.policy.purposes), *prior["purposes"]])
    return Act(
        site_id=publication.site.site_id,
        site_key=publication.site.key,
        action=Action.WITHDRAW,
        purposes={purpose: purpose in kept for purpose in ids},
        policy_version=version.version,
        policy_hash=version.content_hash,
        notice_hash=prior["notice_hash"] or None,
        language=resolve_language(version.policy, request.language),
        mechanism=request.mechanism,
        terms=terms_of(publication),
        decided_at=now,
        local_day=local_date(publication.site, now),
        # What stays granted keeps its own end: withdrawing one purpose prolongs no other.
        expires_at=prior["expires_at"] if kept else refused_until,
        is_under_signal=bool(prior["is_under_signal"]),
        evidence={},
        device=None,
        country=None,
    )


def _answer(
    done: Withdrawn, token: Token, publication: Publication, signer: TokenSigner, now: datetime
) -> dict[str, Any]:
    version = publication.versions.get(done.policy_version, publication.current)
    if done.kept and done.receipt_id is not None:
        ids = [purpose.id for purpose in version.policy.purposes]
        bits = purpose_bits(ids, done.kept)
        kept = Token(token.site_key, done.receipt_id, bits, version.version, token.is_under_signal, now)
        text = signer.sign(kept)
    else:
        text = refusal_token(signer, token.site_key, version.version, now)
    return {
        "receipt_id": done.receipt_id,
        "withdrawn_at": timestamp(done.withdrawn_at),
        "purposes": list(done.purposes),
        "erasure": erasure_document(done.erasure, signer),
        "token": text,
    }
