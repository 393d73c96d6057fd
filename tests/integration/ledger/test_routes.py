"""What is served of the log: checkpoints, proofs that verify with nothing but the key, tiles that can be mirrored."""

from __future__ import annotations

from functools import partial

import pytest
from flask.testing import FlaskClient

from consent_service.consent.publication import Publication
from consent_service.consent.removal import remove_records
from consent_service.core import Core
from consent_service.ledger.integrator import Integrator
from consent_service.ledger.notes import Checkpoint, open_checkpoint, parse_key
from consent_service.ledger.tree import hash_leaf, root_of, verify_consistency, verify_inclusion
from tests.integration.conftest import DATABASES
from tests.integration.ledger.merging import decide_many, log_all
from tests.integration.visitor import Visitor

both = pytest.mark.parametrize("database", DATABASES, indirect=True)
RECEIPT = "0f3c9a6e2b7d41589c0e6f1a2b3c4d5e"


def opened(client: FlaskClient, note: str) -> Checkpoint:
    """Read a checkpoint by the key that is served."""
    return open_checkpoint(note, [parse_key(client.get("/v1/ledger/key").text)])


@both
def test_a_decision_is_proven_by_the_key_alone(client: FlaskClient, integrator: Integrator, visitor: Visitor) -> None:
    first = visitor.accept().get_json()
    waiting = client.get("/v1/ledger/proof", query_string={"receipt": visitor.receipt_id})
    assert (waiting.status_code, waiting.get_json()["error"]["code"]) == (404, "not_merged")
    assert int(waiting.headers["Retry-After"]) >= 1
    log_all(integrator)
    visitor.accept()
    log_all(integrator)
    proofs = [
        client.get("/v1/ledger/proof", query_string={"receipt": visitor.receipt_id, **more})
        for more in ({}, {"decision": first["decision_id"]})
    ]
    for answer in proofs:
        assert answer.headers["Cache-Control"] == "no-store"
        proof = answer.get_json()
        assert set(proof) == {"leaf_index", "tree_size", "leaf_hash", "hashes", "checkpoint"}
        said = opened(client, proof["checkpoint"])
        hashes = [bytes.fromhex(item) for item in proof["hashes"]]
        leaf = bytes.fromhex(proof["leaf_hash"])
        assert said.size == proof["tree_size"]
        assert verify_inclusion(proof["leaf_index"], said.size, leaf, hashes, said.root)
    assert proofs[0].get_json()["leaf_index"] > proofs[1].get_json()["leaf_index"]


def test_a_refusal_is_proven_by_its_decision(client: FlaskClient, integrator: Integrator, visitor: Visitor) -> None:
    refused = visitor.refuse().get_json()["decision_id"]
    granted = visitor.accept().get_json()["decision_id"]
    log_all(integrator)
    assert client.get("/v1/ledger/proof", query_string={"decision": refused}).status_code == 200
    # One that has a receipt is told of to those who know it.
    assert client.get("/v1/ledger/proof", query_string={"decision": granted}).status_code == 404


@both
def test_unknown_and_erased_have_the_same_answer(
    client: FlaskClient, core: Core, integrator: Integrator, visitor: Visitor
) -> None:
    visitor.accept()
    log_all(integrator)
    asked = visitor.receipt_id
    assert asked is not None
    core.writer.run(lambda connection: remove_records(connection, asked, reason="erasure", now=core.now()))
    erased = client.get("/v1/ledger/proof", query_string={"receipt": asked})
    unknown = client.get("/v1/ledger/proof", query_string={"receipt": RECEIPT})
    malformed = client.get("/v1/ledger/proof", query_string={"receipt": "x" * 5_000})
    assert erased.status_code == unknown.status_code == malformed.status_code == 404
    assert erased.data == unknown.data == malformed.data
    assert erased.get_json()["error"]["code"] == "not_found"


@both
def test_any_two_checkpoints_are_joined(
    client: FlaskClient, core: Core, integrator: Integrator, publication: Publication
) -> None:
    notes = []
    for count in (3, 300, 1, 700):
        core.writer.run(partial(decide_many, publication=publication, count=count, now=core.now()))
        log_all(integrator)
        notes.append(opened(client, client.get("/v1/ledger/checkpoint").text))
    for old in notes:
        for new in notes[notes.index(old) :]:
            answer = client.get("/v1/ledger/consistency", query_string={"from": old.size, "to": new.size})
            hashes = [bytes.fromhex(item) for item in answer.get_json()["hashes"]]
            assert verify_consistency(old.size, new.size, old.root, new.root, hashes)
            assert answer.headers["Cache-Control"] == "no-store"
    beyond = client.get("/v1/ledger/consistency", query_string={"from": 1, "to": notes[-1].size + 1})
    assert (beyond.status_code, beyond.get_json()["error"]["code"]) == (404, "not_merged")


@both
def test_the_log_can_be_mirrored_from_its_tiles(
    client: FlaskClient, core: Core, integrator: Integrator, publication: Publication
) -> None:
    core.writer.run(lambda connection: decide_many(connection, publication, 600, core.now()))
    size = log_all(integrator)
    said = opened(client, client.get("/v1/ledger/checkpoint").text)
    leaves: list[bytes] = []
    for index in range(-(-size // 256)):
        width = min(256, size - 256 * index)
        place = f"{index:03}" + ("" if width == 256 else f".p/{width}")
        hashes = client.get(f"/v1/ledger/tile/0/{place}")
        bundle = client.get(f"/v1/ledger/tile/entries/{place}").data
        assert hashes.status_code == 200
        assert "immutable" in hashes.headers["Cache-Control"]
        entries = [bundle[at + 2 : at + 34] for at in range(0, len(bundle), 34)]
        assert all(bundle[at : at + 2] == b"\x00\x20" for at in range(0, len(bundle), 34))
        assert b"".join(hash_leaf(entry) for entry in entries) == hashes.data
        leaves += [hash_leaf(entry) for entry in entries]
    assert root_of(leaves) == said.root
    above = client.get(f"/v1/ledger/tile/1/000.p/{size // 256}").data
    assert above == b"".join(root_of(leaves[at : at + 256]) for at in range(0, size // 256 * 256, 256))
    # The beginning of a tile that grew since stays what it was.
    assert client.get("/v1/ledger/tile/0/000.p/7").data == b"".join(leaves[:7])


@pytest.mark.parametrize(
    "place",
    ["0/999", "0/000.p/0", "0/000.p/256", "0/000.p/999", "64/000", "0/x000/000", "0/1", "entries/x001", "0/../0/000"]
    + ["0/" + "x999/" * 9 + "999", "0/000.p/1/", "-1/000"],
)
def test_a_place_of_no_tile_is_not_found(
    client: FlaskClient, integrator: Integrator, visitor: Visitor, place: str
) -> None:
    log_all(integrator)
    answer = client.get(f"/v1/ledger/tile/{place}")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"from": "1", "to": "-1"},
        {"from": "2", "to": "1"},
        {"from": "1" * 99, "to": "2"},
        {"to": "1"},
        {"from": "01"},
    ],
)
def test_sizes_that_are_none_are_refused(client: FlaskClient, integrator: Integrator, query: dict[str, str]) -> None:
    log_all(integrator)
    assert client.get("/v1/ledger/consistency", query_string=query).status_code == 422


def test_an_empty_log_says_so(client: FlaskClient) -> None:
    for path in ("checkpoint", "key"):
        answer = client.get(f"/v1/ledger/{path}")
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_merged")


def test_prometheus_reads_how_the_log_is(client: FlaskClient, integrator: Integrator, visitor: Visitor) -> None:
    visitor.accept()
    text = client.get("/metrics").text
    assert "consent_service_ledger_leaves 0.0" in text
    size = log_all(integrator)
    text = client.get("/metrics").text
    assert f"consent_service_ledger_leaves {float(size)}" in text
    assert "consent_service_ledger_waiting 0.0" in text
