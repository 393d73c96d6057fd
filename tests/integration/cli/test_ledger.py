"""The ledger's commands, as an operator runs them, beside a server and without one."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from uuid import uuid4

from consent_service.ledger.notes import open_checkpoint, parse_key
from consent_service.ledger.tree import verify_inclusion
from tests.integration.cli.conftest import Deployment, Serve, Visit
from tests.integration.cli.program import Program, wait_until


def test_a_decision_is_proven_within_seconds_and_the_log_verifies_beside_the_server(
    deployment: Deployment, serve: Serve, visit: Visit
) -> None:
    server = serve(deployment.program)
    page = visit(server)
    asked = {"receipt": page.accept()}

    def proof() -> bool:
        return page.client.get("/v1/ledger/proof", params=asked).status_code == 200

    wait_until(proof, "a proof of the decision", 10)
    answer = page.client.get("/v1/ledger/proof", params=asked).json()
    key = parse_key(page.client.get("/v1/ledger/key").text)
    said = open_checkpoint(answer["checkpoint"], [key])
    leaf, hashes = bytes.fromhex(answer["leaf_hash"]), [bytes.fromhex(item) for item in answer["hashes"]]
    assert verify_inclusion(answer["leaf_index"], said.size, leaf, hashes, said.root)

    found = deployment.program.json("ledger", "verify")
    assert (found["ok"], found["first_bad"], found["leaves"]) == (True, None, said.size)
    status = deployment.program.json("status")
    assert (status["last_checkpoint"]["size"], status["waiting_leaves"]) == (said.size, 0)

    rotated = deployment.program.json("secrets", "rotate")
    assert rotated["restart"]
    note = page.client.get("/v1/ledger/checkpoint").text
    assert open_checkpoint(note, [key]) == open_checkpoint(note, [parse_key(rotated["ledger_key"])])
    assert page.client.get("/v1/ledger/key").text.strip() == rotated["ledger_key"]
    # Tokens from before the change are still good.
    assert page.view(str(uuid4())).status_code == 202
    assert deployment.program.json("ledger", "verify")["ok"]


def test_a_record_that_was_tampered_with_is_named(copy: Program, serve: Serve) -> None:
    server = serve(copy)
    wait_until(lambda: copy.json("status")["waiting_leaves"] == 0, "a leaf for all", 10)
    server.close()
    with sqlite3.connect(copy.data_dir / "consent.sqlite") as connection:
        connection.execute("UPDATE ledger_entry SET record = '{}' WHERE kind = 'notice'")
    done = copy.run("ledger", "verify", "--json")
    assert done.returncode == 1
    assert '"ok":false' in done.stdout
    assert json.loads(done.stdout)["first_bad"] in (0, 1, 2, 3)


def test_a_server_without_its_key_does_not_start_and_says_the_mend(tmp_path: Path) -> None:
    copy = Program(tmp_path / "data")
    copy.json("init")
    (copy.data_dir / "ledger.json").unlink()
    assert "consent-service db upgrade" in copy.refused("serve", "--port", "1")[0]
    copy.json("db", "upgrade")
    assert (copy.data_dir / "ledger.json").stat().st_mode & 0o777 == 0o600
    (copy.data_dir / "ledger.json").chmod(0o644)
    assert "chmod 600" in copy.refused("serve", "--port", "1")[0]


def test_an_older_database_is_told_of_and_accepted(copy: Program, serve: Serve, visit: Visit) -> None:
    older = (copy.data_dir / "consent.sqlite").read_bytes()
    before = copy.json("status")["last_checkpoint"]
    server = serve(copy)
    visit(server).accept()
    wait_until(lambda: copy.json("status")["last_checkpoint"] != before, "a checkpoint", 10)
    wait_until(lambda: copy.json("status")["waiting_leaves"] == 0, "a leaf for all", 10)
    server.close()
    for name in ("consent.sqlite-wal", "consent.sqlite-shm"):
        (copy.data_dir / name).unlink(missing_ok=True)
    (copy.data_dir / "consent.sqlite").write_bytes(older)
    server = serve(copy)

    def is_told() -> bool:
        return any("restore-accept --reason" in warning for warning in copy.json("status")["warnings"])

    wait_until(is_told, "the warning", 10)
    accepted = copy.json("ledger", "restore-accept", "--reason", "the disk broke")
    assert accepted["restored_size"] < accepted["signed_size"]
    assert not is_told()
    assert copy.json("ledger", "verify")["ok"]
    assert "nothing to accept" in copy.refused("ledger", "restore-accept", "--reason", "again")[0]
    server.close()


def test_keys_that_come_from_the_environment_are_not_changed_behind_its_back(copy: Program) -> None:
    own = Program(copy.data_dir, SECRET_KEYS="k" * 40)
    assert "--only ledger" in own.refused("secrets", "rotate")[0]
    assert own.json("secrets", "rotate", "--only", "ledger")["token_keys"] is None


def test_a_reason_must_be_given_in_words(copy: Program) -> None:
    assert copy.run("ledger", "restore-accept", "--reason", " ").returncode == 2
    assert copy.run("ledger", "restore-accept").returncode == 2
