"""Serve the log to everybody: checkpoints, proofs and tiles hold commitments alone, and say nothing of anybody."""

from __future__ import annotations

import re
from typing import Final

from flask import Blueprint, Response, request

from consent_service.errors import Invalid, NotFound, NotMerged
from consent_service.ledger.lookup import find_decision, find_entries, find_key, find_leaf, find_tile, prove_leaf
from consent_service.ledger.standing import Head, read_head
from consent_service.ledger.tiles import TILE_WIDTH, compute
from consent_service.ledger.tree import consistency_proof
from consent_service.services import services
from consent_service.web import allow_origins, json_response

bp = Blueprint("ledger", __name__, url_prefix="/v1/ledger")
allow_origins(bp)

_RECEIPT_ID: Final = re.compile(r"[0-9a-f]{32}")
_DECISION_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,14}")
# C2SP tlog-tiles: an index in groups of three digits, all but the last with an x before them.
_TILE: Final = re.compile(
    r"(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<index>(?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
_FOREVER: Final = "public, max-age=31536000, immutable"
_UNKNOWN: Final = "the log has no such record, or it was erased"


@bp.get("/checkpoint")
def get_checkpoint() -> Response:
    """Give the newest checkpoint, a signed note."""
    with services().engine.connect() as connection:
        head = read_head(connection)
    return _text(_signed(head))


@bp.get("/key")
def get_key() -> Response:
    """Give the key that checkpoints are signed with now."""
    with services().engine.connect() as connection:
        key = find_key(connection)
    if key is None:
        raise NotMerged("the log is empty yet")
    return _text(f"{key}\n")


@bp.get("/proof")
def get_proof() -> Response:
    """Prove that a decision is in the log; the same answer for what is unknown and what was erased."""
    receipt_id, decision_id = request.args.get("receipt"), request.args.get("decision")
    if receipt_id is None and decision_id is None:
        raise Invalid([("/receipt", "name the receipt, and with decision= one of its decisions")])
    if not _is_id(_RECEIPT_ID, receipt_id) or not _is_id(_DECISION_ID, decision_id):
        raise NotFound(_UNKNOWN)
    with services().engine.connect() as connection:
        found = find_decision(connection, receipt_id, decision_id)
        if found is None:
            raise NotFound(_UNKNOWN)
        leaf = find_leaf(connection, found)
        if leaf is None:
            raise NotMerged("the decision is stored and not in the log yet")
        head = read_head(connection)
        hashes = prove_leaf(connection, leaf, head.size)
    return json_response(
        {
            "leaf_index": leaf.leaf_index,
            "tree_size": head.size,
            "leaf_hash": leaf.leaf_hash.hex(),
            "hashes": [item.hex() for item in hashes],
            "checkpoint": head.note,
        }
    )


@bp.get("/consistency")
def get_consistency() -> Response:
    """Prove that the log of one size is the beginning of the log of another."""
    old, new = _size("from"), _size("to")
    with services().engine.connect() as connection:
        size = read_head(connection).size
        new = size if new is None else new
        if old is None or old > new:
            raise Invalid([("/from", "must be the size of an earlier checkpoint")])
        if new > size:
            raise NotMerged(f"the log has {size} leaves yet")
        hashes = compute(connection, lambda nodes: consistency_proof(old, new, nodes))
    return json_response({"from": old, "to": new, "hashes": [item.hex() for item in hashes]})


@bp.get("/tile/<path:place>")
def get_tile(place: str) -> Response:
    """Give a tile of hashes, or the entries under one, as C2SP tlog-tiles has them."""
    match = _TILE.fullmatch(place)
    index = 0 if match is None else int(re.sub(r"[x/]", "", match["index"]))
    if match is None or match["index"] != _path_of(index):
        raise NotFound("this is no place of a tile")
    width = int(match["width"] or TILE_WIDTH)
    if width > TILE_WIDTH or (match["width"] and width == TILE_WIDTH):
        raise NotFound("a tile that is not full has 1 to 255 hashes")
    with services().engine.connect() as connection:
        if match["level"] == "entries":
            content = find_entries(connection, index, width)
        else:
            content = find_tile(connection, int(match["level"]), index, width)
    if content is None:
        raise NotFound("the log does not have this tile yet")
    # What a log has once written never changes, the beginning of a tile neither.
    return Response(content, mimetype="application/octet-stream", headers={"Cache-Control": _FOREVER})


def _signed(head: Head) -> str:
    if head.note is None:
        raise NotMerged("the log is empty yet")
    return head.note


def _text(text: str) -> Response:
    return Response(text, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


def _is_id(form: re.Pattern[str], text: str | None) -> bool:
    return text is None or form.fullmatch(text) is not None


def _size(name: str) -> int | None:
    text = request.args.get(name)
    if text is None and name == "to":
        return None
    if text is None or not _SIZE.fullmatch(text):
        raise Invalid([(f"/{name}", "must be a whole number, the size of a checkpoint")])
    return int(text)


def _path_of(index: int) -> str:
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    return "/".join(reversed(groups))
