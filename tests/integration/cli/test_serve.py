"""`serve` starts everything with one command, mends what dies, drains when told to end, and leaves nothing behind."""

import os
import signal
import socket
import sqlite3
import time
from contextlib import closing
from uuid import uuid4

import httpx

from consent_service.locks import SERVER
from tests.integration.cli.conftest import Deployment, Serve, Visit
from tests.integration.cli.program import Program, Server, wait_until

MENDED_WITHIN = 2.0


def events_of(server: Server, token: str, site: str, receipt_id: str) -> list[str]:
    """Give the lines of the export that hold a receipt."""
    answer = httpx.get(
        f"{server.url}/api/v1/events",
        timeout=30,
        params={"site": site, "format": "jsonl"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 200, answer.text
    return [line for line in answer.text.splitlines() if receipt_id in line]


def test_serve_prints_its_url_when_it_answers_and_ends_in_order(copy: Program, serve: Serve) -> None:
    server = serve(copy, "--workers", "2", waits=False)

    line = server.wait_for_line()

    assert line.startswith(f"Serving {server.url} ")
    assert server.is_ready()
    wait_until(lambda: len(server.workers()) == 2, "two workers")
    status = copy.json("status")
    assert {item["pid"] for item in status["processes"] if item["role"] == "web"} == server.workers()
    assert [item["pid"] for item in status["processes"] if item["role"] == "keeper"] == [server.keeper()]
    assert status["last_drain"].endswith("Z")
    assert server.group() >= {server.process.pid, server.keeper(), *server.workers()}
    assert server.stop() == 0
    assert server.group() == set()
    assert copy.json("status")["processes"] == []


def test_a_killed_keeper_and_a_killed_worker_are_mended_within_two_seconds(copy: Program, serve: Serve) -> None:
    server = serve(copy, "--workers", "2")
    wait_until(lambda: len(server.workers()) == 2, "two workers")

    keeper = server.keeper()
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    took = wait_until(lambda: server.keeper() not in (None, keeper) and server.is_ready(), "another keeper")
    assert took < MENDED_WITHIN

    worker = next(iter(server.workers()))
    os.kill(worker, signal.SIGKILL)
    took = wait_until(lambda: len(server.workers()) == 2 and worker not in server.workers(), "another worker")
    assert took < MENDED_WITHIN
    wait_until(server.is_ready, "an answer")
    assert server.stop() == 0


def test_nothing_outlives_a_killed_server_and_the_next_one_takes_its_place(copy: Program, serve: Serve) -> None:
    first = serve(copy)
    family = first.group()
    assert len(family) >= 4
    first.process.kill()
    first.process.wait()

    second = serve(copy, port=first.port)

    assert second.is_ready()
    assert first.group() == set()
    assert second.stop() == 0


def test_a_second_server_on_the_directory_is_refused(copy: Program, serve: Serve) -> None:
    server = serve(copy)

    [line] = copy.refused("serve", "--port", str(server.port + 1))

    assert line.startswith(f"another server (process {server.process.pid}) serves {copy.data_dir}; ")
    assert copy.refused("db", "upgrade") == [f"a server runs here (process {server.process.pid}); stop it first"]
    assert copy.holder(SERVER) == server.process.pid


def test_a_busy_port_is_refused(copy: Program) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        [line] = copy.refused("serve", "--port", str(port))

    assert line == (
        f"cannot listen on 127.0.0.1 port {port}: Address already in use; free the port or choose another with --port"
    )
    [line] = copy.refused("serve", "--host", "203.0.113.7")
    assert "203.0.113.7" in line


def test_what_was_accepted_is_stored_when_the_server_ends(
    copy: Program, deployment: Deployment, serve: Serve, visit: Visit
) -> None:
    token = copy.json("token", "create", "--site", deployment.site, "--scope", "events:export")["token"]
    server = serve(copy)
    page = visit(server)
    receipt_id = page.accept()
    for number in range(20):
        assert page.view(str(uuid4()), f"/article/{number}").status_code == 202
    # To all at once, as a service manager does: the keeper must wait for the workers.
    os.killpg(server.process.pid, signal.SIGTERM)
    assert server.process.wait(60) == 0

    assert copy.json("status")["inbox"]["rows"] == 0
    again = serve(copy)
    assert len(events_of(again, token, deployment.site, receipt_id)) == 20


def test_an_erasure_beside_a_running_server_closes_the_gate_and_removes_the_rows(
    copy: Program, deployment: Deployment, serve: Serve, visit: Visit
) -> None:
    token = copy.json("token", "create", "--site", deployment.site, "--scope", "events:export")["token"]
    server = serve(copy)
    page = visit(server)
    receipt_id = page.accept()
    assert page.view(str(uuid4())).status_code == 202
    wait_until(lambda: len(events_of(server, token, deployment.site, receipt_id)) == 1, "the event in the store")

    certificate = copy.json("erase", "--receipt", receipt_id, "--records")

    assert (certificate["status"], certificate["events"], certificate["records"]) == ("done", 1, 2)
    assert certificate["erased_at"].endswith("Z")
    assert events_of(server, token, deployment.site, receipt_id) == []
    # Every worker refuses within a second; what it took until then the keeper does not store.
    wait_until(lambda: page.view(str(uuid4())).headers.get("X-Consent-Reason") == "withdrawn", "the gate closed", 1)
    assert page.view(str(uuid4())).status_code == 403
    wait_until(lambda: copy.json("status")["inbox"]["rows"] == 0, "the inbox drained")
    assert events_of(server, token, deployment.site, receipt_id) == []
    again = copy.json("erase", "--receipt", receipt_id)
    assert (again["erasure_id"], again["records"]) == (certificate["erasure_id"], 2)
    assert copy.json("retention", "run", "--compact")["compaction"]["after_bytes"] > 0
    assert copy.json("erase", "--receipt", receipt_id)["compacted_at"].endswith("Z")


def test_an_erasure_after_the_visitors_own_withdrawal_shows_what_that_erased(
    copy: Program, deployment: Deployment, serve: Serve, visit: Visit
) -> None:
    server = serve(copy)
    page = visit(server)
    receipt_id = page.accept()
    assert page.view(str(uuid4())).status_code == 202
    wait_until(lambda: copy.json("status")["inbox"]["rows"] == 0, "the inbox drained")
    withdrawn = page.client.post("/v1/withdrawals", json={"site": deployment.site, "token": page.token}).json()

    certificate = copy.json("erase", "--receipt", receipt_id)

    assert (certificate["status"], certificate["events"], certificate["records"]) == ("done", 1, 0)
    assert certificate["erasure_id"] == withdrawn["erasure"]["id"]
    certificate = copy.json("erase", "--receipt", receipt_id, "--records")
    assert (certificate["erasure_id"], certificate["events"]) == (withdrawn["erasure"]["id"], 1)
    assert certificate["records"] == 2


def test_status_says_within_seconds_that_the_keeper_does_not_answer(copy: Program, serve: Serve) -> None:
    server = serve(copy)
    keeper = server.keeper()
    assert keeper is not None
    # Stopped in the middle of a commit, the keeper would keep the database from everybody.
    with closing(sqlite3.connect(copy.data_dir / "consent.sqlite", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        os.kill(keeper, signal.SIGSTOP)
        connection.execute("ROLLBACK")
    try:
        started = time.monotonic()
        status = copy.json("status")
        took = time.monotonic() - started
    finally:
        os.kill(keeper, signal.SIGCONT)

    assert [warning for warning in status["warnings"] if "did not answer within 3 s" in warning]
    assert {"role": "keeper", "pid": keeper} in status["processes"]
    assert took < 30
    wait_until(lambda: not [text for text in copy.json("status")["warnings"] if "did not answer" in text], "its answer")


def test_an_erasure_without_a_server_does_the_same(
    copy: Program, deployment: Deployment, serve: Serve, visit: Visit
) -> None:
    server = serve(copy)
    page = visit(server)
    receipt_id = page.accept()
    assert page.view(str(uuid4())).status_code == 202
    assert server.stop() == 0

    certificate = copy.json("erase", "--receipt", receipt_id)

    assert (certificate["status"], certificate["events"], certificate["records"]) == ("done", 1, 0)


def test_commands_beside_a_server_print_links_to_its_port(copy: Program, deployment: Deployment, serve: Serve) -> None:
    server = serve(copy)

    assert f"{server.url}/c/{deployment.site}.js" in copy.json("site", "show", deployment.site)["snippet"]


def test_a_deep_directory_serves_too(deployment: Deployment, serve: Serve, copy: Program) -> None:
    deep = copy.data_dir.parent / ("d" * 60) / ("e" * 60)
    deep.parent.mkdir()
    copy.data_dir.rename(deep)

    server = serve(Program(deep))

    assert server.is_ready()
    assert server.stop() == 0
