"""The certificate of an erasure: signed, proven in the log, verified offline, and told only to who may know."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from consent_service.consent.removal import remove_records
from consent_service.core import Core
from consent_service.db.ledger_tables import ledger_entry, ledger_leaf
from consent_service.db.tables import decision, erasure_job
from consent_service.ledger.certificate import CertificateError, certificate_line, check_certificate
from consent_service.ledger.keys import mint_keys, read_keys
from consent_service.ledger.notes import VerifierKey, read_checkpoint, sign_checkpoint
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.consent.keeping import rows
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

both = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def keys(core: Core) -> list[VerifierKey]:
    """Give the log's public keys."""
    return read_keys(core.config.data_dir).verifiers()


def erase(visitor: Visitor, keeper: KeeperInHand) -> str:
    """Let a visitor agree, be seen twice and withdraw; gives the certificate's address."""
    visitor.accept()
    visitor.pageview("/a")
    visitor.pageview("/b")
    keeper.turn()
    return str(visitor.withdraw().get_json()["erasure"]["certificate_url"])


def read(client: FlaskClient, url: str) -> Any:
    answer = client.get(url)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store"), answer.text
    return answer.get_json()


@both
def test_the_certificate_says_what_was_erased_and_verifies_with_the_key_alone(
    visitor: Visitor, client: FlaskClient, keeper: KeeperInHand, core: Core, now: Clock, keys: list[VerifierKey]
) -> None:
    url = erase(visitor, keeper)
    waiting = client.get(url)
    assert (waiting.status_code, waiting.get_json()["error"]["code"]) == (404, "not_merged")
    now.move(seconds=5)
    keeper.turn()
    keeper.sign()
    said = check_certificate(read(client, url), keys)
    [job] = [entry for entry in rows(core, ledger_entry) if entry["kind"] == "erasure"]
    assert said | {"entries": []} == {
        "v": 1,
        "type": "erasure_certificate",
        "erasure_id": job["subject"],
        "site": visitor.site_key,
        "receipt_id": said["receipt_id"],
        "reason": "withdrawal",
        "requested_at": "2026-03-10T09:30:00.000Z",
        "done_at": "2026-03-10T09:30:05.000Z",
        "compacted_at": None,
        "counts": {"events": 2, "records": 0},
        "entries": [],
        "issued_at": "2026-03-10T09:30:05.000Z",
    }
    now.move(hours=1)
    keeper.compact()
    keeper.sign()
    later = check_certificate(read(client, url), keys)
    assert (later["compacted_at"], len(later["entries"])) == ("2026-03-10T10:30:05.000Z", 2)


@both
def test_after_ninety_days_the_certificate_names_nobody_and_still_verifies(
    visitor: Visitor, client: FlaskClient, keeper: KeeperInHand, core: Core, now: Clock, keys: list[VerifierKey]
) -> None:
    visitor.accept()
    token = visitor.token
    visitor.pageview("/a")
    keeper.turn()
    url = str(visitor.withdraw().get_json()["erasure"]["certificate_url"])
    keeper.turn()
    now.move(days=90)
    keeper.keeper.retain(is_confirmed=True)
    keeper.sign()
    named = check_certificate(read(client, url), keys)
    assert named["receipt_id"] == visitor.receipt_id
    keeper.compact()
    now.move(seconds=1)
    keeper.keeper.retain(is_confirmed=True)
    keeper.sign()
    nameless = check_certificate(read(client, url), keys)
    kept = ("erasure_id", "reason", "requested_at", "done_at", "counts")
    assert [nameless[name] for name in kept] == [named[name] for name in kept]
    assert nameless["entries"][0] == named["entries"][0]
    assert nameless["receipt_id"] is None
    assert str(visitor.receipt_id) not in orjson.dumps(nameless).decode()
    [job] = rows(core, erasure_job)
    assert (job["receipt_id"], job["revocation_number"]) == (None, None)
    # Who asks once more is told the same, and gets a certificate of their own.
    again = visitor.withdraw(token=token)
    assert again.get_json()["withdrawn_at"] == named["requested_at"]
    assert again.get_json()["erasure"]["certificate_url"] != url


@both
def test_the_log_names_leaves_and_no_receipt(visitor: Visitor, keeper: KeeperInHand, core: Core) -> None:
    erase(visitor, keeper)
    keeper.turn()
    with core.engine.connect() as connection:
        leaves = list(
            connection.execute(
                select(ledger_leaf.c.leaf_index)
                .join(decision, decision.c.decision_id == ledger_leaf.c.entry_id)
                .order_by(ledger_leaf.c.leaf_index)
            ).scalars()
        )
    [entry] = [row for row in rows(core, ledger_entry) if row["kind"] == "erasure"]
    record = orjson.loads(entry["record"])
    [receipt_id] = {row["receipt_id"] for row in rows(core, decision)}
    assert (record["leaves"], record["count"], record["deed"]) == (leaves, 2, "events")
    assert len(leaves) == 2
    assert receipt_id.encode() not in entry["record"]
    assert receipt_id not in entry["subject"]


@both
def test_an_upheld_request_is_certified_too_and_nothing_matches_the_leaves_that_stay(
    visitor: Visitor, client: FlaskClient, keeper: KeeperInHand, core: Core, now: Clock, keys: list[VerifierKey]
) -> None:
    url = erase(visitor, keeper)
    keeper.turn()
    [receipt_id] = {row["receipt_id"] for row in rows(core, decision)}
    core.writer.run(lambda connection: remove_records(connection, receipt_id, reason="erasure", now=now()))
    keeper.sign()
    said = check_certificate(read(client, url), keys)
    assert said["counts"] == {"events": 2, "records": 2}
    nameless = [leaf for leaf in rows(core, ledger_leaf) if leaf["entry_id"] is None]
    assert (len(nameless), rows(core, decision)) == (2, [])


@both
def test_every_change_of_a_certificate_is_noticed(
    visitor: Visitor, client: FlaskClient, keeper: KeeperInHand, core: Core, now: Clock, keys: list[VerifierKey]
) -> None:
    url = erase(visitor, keeper)
    keeper.turn()
    keeper.sign()
    good = read(client, url)
    check_certificate(good, keys)
    accepted = []
    for path, value in leaves_of(good):
        bent = copy.deepcopy(good)
        inner: Any = bent
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = change(value)
        try:
            check_certificate(bent, keys)
        except CertificateError:
            continue
        accepted.append(path)
    assert accepted == []
    with pytest.raises(CertificateError, match="no trusted key"):
        check_certificate(good, mint_keys(now(), keys[0].name).verifiers())


def test_a_signed_certificate_of_an_entry_that_is_not_in_the_log_does_not_hold(
    visitor: Visitor, client: FlaskClient, keeper: KeeperInHand, core: Core, now: Clock, keys: list[VerifierKey]
) -> None:
    """Even who has the key must put the erasure into the log."""
    url = erase(visitor, keeper)
    keeper.turn()
    keeper.sign()
    forged = read(client, url)
    forged["certificate"]["entries"][0]["salt"] = "00" * 32
    head = read_checkpoint(forged["checkpoint"])[0]
    line = certificate_line(forged["certificate"])
    held = read_keys(core.config.data_dir)
    forged["checkpoint"] = sign_checkpoint(type(head)(head.origin, head.size, head.root, (line,)), held.signing(now()))
    with pytest.raises(CertificateError, match=r"leaf \d+ is not in the log"):
        check_certificate(forged, keys)


def test_who_was_not_told_the_address_learns_nothing(
    visitor: Visitor, client: FlaskClient, keeper: KeeperInHand, core: Core
) -> None:
    url = erase(visitor, keeper)
    keeper.turn()
    keeper.sign()
    [job] = rows(core, erasure_job)
    unknown = client.get("/v1/erasures/nothing")
    for guess in (f"/v1/erasures/{job['erasure_id']}", f"{url}x", url[:-3], f"/v1/erasures/{visitor.token}"):
        answer = client.get(guess)
        assert (answer.status_code, answer.get_json()) == (404, unknown.get_json())


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """Give every value inside a document with its path."""
    if isinstance(value, dict):
        return [item for name, inner in value.items() for item in leaves_of(inner, (*path, name))]
    if isinstance(value, list):
        return [item for at, inner in enumerate(value) for item in leaves_of(inner, (*path, at))]
    return [(path, value)]


def change(value: Any) -> Any:
    """Give another value of the same kind."""
    if isinstance(value, str):
        return ("1" if value[:1] != "1" else "2") + value[1:]
    return 7 if value is None else value + 1
