"""Gather what an evidence bundle of a decision holds: its record, the words shown, the policy, pictures, an anchor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, Row, select

from consent_service.consent.dpv import Place, consent_record
from consent_service.consent.policy import Policy
from consent_service.db.ledger_tables import ledger_anchor
from consent_service.db.tables import decision, notice, notice_screenshot, policy_version, site
from consent_service.documents import canonical_json
from consent_service.ledger.anchors import Status
from consent_service.ledger.bundle import Anchor, Entry, Evidence, Sign, find_leaves, make_bundle, read_entries
from consent_service.ledger.entries import Kind

MAX_SCREENSHOTS: Final = 8
_README: Final = """\
Evidence of one consent decision at the site {site}
===================================================

This file was made by consent-service for decision {decision_id}.

record.json            the decision's record, byte for byte as it was stored when it was made
salt.hex               the salt of the record's commitment in the log: entry = HMAC-SHA256(salt, record)
record.tlog-proof      that the log holds this entry (C2SP tlog-proof, RFC 9162)
checkpoint             the log's signed state (C2SP signed note, Ed25519); its line "bundle sha256:" is of the list
                       of all other members, so that none can be changed, added, taken away or renamed
policy.json            the policy in force; its SHA-256 is the record's policy_hash
notice.json            the words and options of the banner; its SHA-256 is the record's notice
screenshot-*.png       pictures of that banner as it was published
*.entry.json, *.salt.hex, *.tlog-proof   the log's entries that name these files, and their proofs
anchor.*               an earlier checkpoint that others received, the proof that the log only grew since, and the time
                       stamp over it (RFC 3161)
consent-record.jsonld  the decision described as ISO/IEC TS 27560 asks, in terms of the W3C's DPV
verify.py, verify.html what checks all this, offline

To check it, get the log's verifier key from a source that you trust, not from this file or from whoever gave it to
you alone: it is served at /v1/ledger/key, and others who received checkpoints of this log know its name. Take
verify.py or verify.html from the project's own release rather than from here. Then:

    python3 verify.py THIS-FILE.zip --key KEY --checkpoint A-CHECKPOINT-YOU-GOT-ELSEWHERE

What holding proves: the record existed, unchanged, when the checkpoint was signed, and when the anchor was made if the
anchored log has it; this notice and this policy are those it names; nothing of the log up to the anchor was removed
or rewritten since. What it does not prove: that a human clicked, that the site's page did not click for them, or that
what was written down was true.
"""


class NoSuchDecision(LookupError):
    """Tell that there is no such decision at this site, or that it was erased."""


def bundle_decision(
    engine: Engine, sign: Sign, decision_id: str, service: str, *, site_id: int | None = None, since: str | None = None
) -> bytes:
    """Give the evidence bundle of a decision, at a site or at any.

    `service` is the root of the deployment's addresses; `since` is a checkpoint that somebody has, to be proven a
    beginning of the log, instead of the anchor that fits best. Raises NoSuchDecision and LedgerError.
    """
    with engine.connect() as connection:
        evidence = _gather(connection, decision_id, service, site_id, since)
    return make_bundle(engine, evidence, sign)


def policy_bytes(document: Mapping[str, Any]) -> bytes:
    """Give the bytes of a published policy whose SHA-256 is its content hash."""
    return canonical_json(Policy.from_document(document).document())


def _gather(connection: Connection, decision_id: str, service: str, site_id: int | None, since: str | None) -> Evidence:
    row = _read_decision(connection, decision_id)
    if row is None or site_id not in (None, row.site_id):
        raise NoSuchDecision("there is no such decision, or its record was erased")
    record, policy = orjson.loads(row.record), Policy.from_document(row.policy)
    readme = _README.format(site=row.site_key, decision_id=decision_id)
    described = consent_record(record, policy, Place(service, row.site_key))
    files = {
        "README.txt": readme.encode(),
        "policy.json": policy_bytes(row.policy),
        "consent-record.jsonld": orjson.dumps(described, option=orjson.OPT_INDENT_2),
    }
    named: dict[str, Entry] = {}
    if row.notice_hash is not None:
        shown = select(notice.c.document).where(notice.c.notice_hash == row.notice_hash)
        files["notice.json"] = bytes(connection.execute(shown).scalar_one())
        logged = read_entries(connection, Kind.NOTICE, [row.notice_hash])
        named = {"notice": logged[row.notice_hash]} if logged else {}
        for number, (png, entry) in enumerate(_screenshots(connection, row.notice_hash), 1):
            files[f"screenshot-{number}.png"] = png
            named[f"screenshot-{number}"] = entry
    anchor = Anchor(since, None) if since is not None else _best_anchor(connection, decision_id)
    return Evidence(Entry(decision_id, bytes(row.record), bytes(row.salt)), files, named, anchor)


def _read_decision(connection: Connection, decision_id: str) -> Row[*tuple[Any, ...]] | None:
    published = (policy_version.c.site_id == decision.c.site_id) & (
        policy_version.c.version == decision.c.policy_version
    )
    columns = (decision.c.site_id, decision.c.record, decision.c.salt, decision.c.notice_hash)
    statement = (
        select(*columns, site.c.key.label("site_key"), policy_version.c.document.label("policy"))
        .join_from(decision, site, site.c.site_id == decision.c.site_id)
        .join(policy_version, published)
        .where(decision.c.decision_id == decision_id)
    )
    return connection.execute(statement).one_or_none()


def _screenshots(connection: Connection, notice_hash: str) -> list[tuple[bytes, Entry]]:
    """Give pictures of a banner, the newest of each size and layer, with their entries."""
    rows: Sequence[Any] = connection.execute(
        select(notice_screenshot)
        .where(notice_screenshot.c.notice_hash == notice_hash)
        .order_by(notice_screenshot.c.width.desc(), notice_screenshot.c.surface, notice_screenshot.c.taken_at.desc())
    ).all()
    newest: dict[tuple[int, str], Any] = {}
    for row in rows:
        newest.setdefault((row.width, row.surface), row)
    chosen = list(newest.values())[:MAX_SCREENSHOTS]
    entries = read_entries(connection, Kind.SCREENSHOT, [row.sha256 for row in chosen])
    # An entry names banner and picture; the same picture of another banner is another entry.
    logged = [(bytes(row.png), entries.get(row.sha256)) for row in chosen]
    return [(png, entry) for png, entry in logged if entry is not None and notice_hash.encode() in entry.record]


def _best_anchor(connection: Connection, decision_id: str) -> Anchor | None:
    """Give the first anchor whose log has the decision, a time stamp before a mere copy; else the newest one."""
    held = select(ledger_anchor).where(ledger_anchor.c.status != Status.FAILED)
    by_size = held.order_by((ledger_anchor.c.token.is_(None)), ledger_anchor.c.tree_size, ledger_anchor.c.sent_at)
    index = find_leaves(connection, [decision_id], 2**62).get(decision_id)
    row = None
    if index is not None:
        row = connection.execute(by_size.where(ledger_anchor.c.tree_size > index).limit(1)).one_or_none()
    if row is None:
        newest = held.order_by(ledger_anchor.c.token.is_(None), ledger_anchor.c.tree_size.desc())
        row = connection.execute(newest.limit(1)).one_or_none()
    return None if row is None else Anchor(row.note, None if row.token is None else bytes(row.token))
