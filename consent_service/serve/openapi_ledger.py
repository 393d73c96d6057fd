"""Describe the calls of the log: checkpoints, proofs, tiles."""

from __future__ import annotations

from typing import Any, Final

from consent_service.serve.openapi_model import (
    VISITOR,
    Answer,
    Operation,
    Parameter,
    list_of,
    members,
    nullable,
)
from consent_service.serve.openapi_schemas import TEXT, TIME

LEDGER: Final = "Ledger"
_HASH: Final[dict[str, Any]] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}
_PROOF: Final = members(
    {
        "leaf_index": _COUNT,
        "tree_size": {"type": "integer", "minimum": 1},
        "leaf_hash": _HASH,
        "hashes": list_of(_HASH, maxItems=64),
        "checkpoint": TEXT,
    }
)
_CONSISTENCY: Final = members({"from": _COUNT, "to": _COUNT, "hashes": list_of(_HASH, maxItems=65)})
_SIZE: Final[dict[str, Any]] = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}

_CERTIFICATE: Final = members(
    {
        "certificate": members(
            {
                "v": {"const": 1},
                "type": {"const": "erasure_certificate"},
                "erasure_id": TEXT,
                "site": TEXT,
                "receipt_id": TEXT,
                "reason": {"enum": ["withdrawal", "request", "retention"]},
                "requested_at": TIME,
                "done_at": TIME,
                "compacted_at": nullable(TIME),
                "counts": members({"events": _COUNT, "records": _COUNT}),
                "entries": list_of(members({"leaf_index": _COUNT, "record": TEXT, "salt": _HASH})),
                "issued_at": TIME,
            }
        ),
        "checkpoint": TEXT,
        "proofs": list_of(list_of(_HASH, maxItems=64)),
    }
)
_DECISION: Final = members(
    {
        "decision_id": TEXT,
        "record": {**TEXT, "contentEncoding": "base64", "description": "The exact bytes that were stored."},
        "salt": {**_HASH, "description": "The entry in the log is HMAC-SHA256(salt, record)."},
        "leaf_hash": _HASH,
        "leaf_index": {"type": ["integer", "null"], "description": "Null until the decision is in the log."},
        "tree_size": {"type": ["integer", "null"]},
        "hashes": {"type": ["array", "null"], "items": _HASH, "maxItems": 64},
    }
)
_RECEIPT: Final[dict[str, Any]] = {
    **members(
        {
            "@context": {"type": "object"},
            "@id": TEXT,
            "@type": TEXT,
            "site": TEXT,
            "receipt_id": TEXT,
            "is_restricted": {
                "type": "boolean",
                "description": "The data is kept and used for nothing: by a legal hold, or because the visitor asked.",
            },
            "checkpoint": {"type": ["string", "null"], "description": "The log's newest checkpoint, a signed note."},
            "decisions": list_of(_DECISION, maxItems=200),
        }
    ),
    "additionalProperties": True,
}

OPERATIONS: Final = (
    Operation(
        "GET",
        "/v1/erasures/{name}",
        "get_certificate",
        LEDGER,
        "Certify an erasure",
        (
            Answer(
                "Signed by the log's key: what was deleted, where, when, and when the bytes left the disk", _CERTIFICATE
            ),
        ),
        "The address is the `certificate_url` of the erasure; only who was told it can know it. The checkpoint's line "
        "`certificate sha256:…` is the hash of `certificate` as canonical JSON (keys sorted, no white space); `proofs` "
        "has an inclusion proof (RFC 9162) in that checkpoint for each of its entries, whose leaf is the "
        "HMAC-SHA256 of `record` (base64) under `salt`. Until the erasure is done and logged: `not_merged`. "
        "`compacted_at` is null until the bytes have left the disk, within a day.",
        (Parameter("name", "The last part of `certificate_url`.", TEXT, "path"),),
        errors=("not_found", "not_merged", "rate_limited", "unavailable"),
    ),
    Operation(
        "GET",
        "/v1/receipts/{receipt_id}",
        "get_receipt",
        LEDGER,
        "Give a visitor their receipt",
        (Answer("The receipt (ISO/IEC TS 27560 in terms of W3C DPV)", _RECEIPT, types=("application/ld+json",)),),
        "For the browser that holds the receipt's token, as Bearer or cookie; the id alone is never a credential, and "
        "everything else has one and the same answer. An expired token is accepted. `/verify.html` and `/verify.py` "
        "check a receipt without this service.",
        (Parameter("receipt_id", "A receipt's id.", TEXT, place="path", is_required=True),),
        errors=("not_found", "rate_limited", "unavailable"),
        needs=VISITOR,
    ),
    Operation(
        "GET",
        "/v1/copies/{link}/{format}",
        "get_copy",
        LEDGER,
        "Give the copy that an officer's link leads to",
        (
            Answer(
                "Everything that is stored under the receipt",
                TEXT,
                types=("application/json", "text/csv; charset=utf-8"),
            ),
            Answer("The link is over or altered; a page says so", TEXT, 403, ("text/html",)),
        ),
        "The link is made in the console and opens for ten minutes; it is bound to site and receipt, and the audit "
        "notes its making and each opening. No token and no login opens it otherwise.",
        (
            Parameter("link", "The link's signed part.", TEXT, place="path", is_required=True),
            Parameter("format", "What the file is.", {"enum": ["json", "csv"]}, place="path", is_required=True),
        ),
        errors=("not_found", "rate_limited", "unavailable"),
    ),
    Operation(
        "GET",
        "/verify.html",
        "get_verify_page",
        LEDGER,
        "Give the page that checks receipts and evidence bundles",
        (
            Answer("One file that works offline and sends nothing anywhere", TEXT, types=("text/html",)),
            Answer("The page is the one the ETag names", status=304),
        ),
    ),
    Operation(
        "GET",
        "/verify.py",
        "get_verify_program",
        LEDGER,
        "Give the program that checks receipts and evidence bundles",
        (
            Answer("It needs Python's standard library alone", TEXT, types=("text/x-python",)),
            Answer("The program is the one the ETag names", status=304),
        ),
    ),
    Operation(
        "GET",
        "/v1/ledger/checkpoint",
        "get_checkpoint",
        LEDGER,
        "Give the newest checkpoint",
        (Answer("A signed note (C2SP tlog-checkpoint, Ed25519)", TEXT, types=("text/plain",)),),
        "One log for the deployment. Two checkpoints of it are joined by a consistency proof.",
        errors=("not_merged", "unavailable"),
    ),
    Operation(
        "GET",
        "/v1/ledger/key",
        "get_ledger_key",
        LEDGER,
        "Give the key that signs checkpoints now",
        (Answer("`name+hash+base64` (C2SP signed-note)", TEXT, types=("text/plain",)),),
        "Keep a copy from elsewhere: a key that comes with what it verifies proves nothing.",
        errors=("not_merged", "unavailable"),
    ),
    Operation(
        "GET",
        "/v1/ledger/proof",
        "get_proof",
        LEDGER,
        "Prove that a decision is in the log",
        (Answer("An inclusion proof (RFC 9162, 2.1.3), nearest hash first, in hex", _PROOF),),
        "Of the receipt's newest decision, or of the one that `decision` names. A refusal has no receipt: name its "
        "`decision` alone. What is unknown and what was erased have the same answer. The answer says nothing of time "
        "or choice.",
        (
            Parameter("receipt", "A receipt's id.", TEXT),
            Parameter("decision", "One of its decisions' ids.", TEXT),
        ),
        errors=("not_found", "not_merged", "invalid", "unavailable"),
    ),
    Operation(
        "GET",
        "/v1/ledger/consistency",
        "get_consistency",
        LEDGER,
        "Prove that an earlier log is the beginning of a later one",
        (Answer("A consistency proof (RFC 9162, 2.1.4), in hex", _CONSISTENCY),),
        "Between the sizes of any two checkpoints; without `to`, up to the newest.",
        (
            Parameter("from", "The size of the earlier checkpoint.", _SIZE, is_required=True),
            Parameter("to", "The size of the later one.", _SIZE),
        ),
        errors=("not_merged", "invalid", "unavailable"),
    ),
    Operation(
        "GET",
        "/v1/ledger/tile/{place}",
        "get_tile",
        LEDGER,
        "Give a tile of the log",
        (
            Answer(
                "Hashes of 32 bytes, or entries with their length before them",
                TEXT,
                types=("application/octet-stream",),
            ),
        ),
        "`place` as in C2SP tlog-tiles: `0/x001/234`, `1/000.p/7`, `entries/000`. Never changes, so it may be cached "
        "for ever. An entry is a commitment: it says nothing without record and salt.",
        (Parameter("place", "Level and index, and the width of a tile that is not full.", TEXT, "path"),),
        errors=("not_found", "unavailable"),
    ),
)
