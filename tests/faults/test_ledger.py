"""The log after its signer died, beside a second one: nothing is lost, nothing has two histories."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

from consent_service.ledger.notes import Checkpoint, open_checkpoint, parse_key
from consent_service.ledger.tree import verify_consistency
from tests.faults.conftest import Server, decide, until

KILLS = 4


def checkpoint(server: Server) -> Checkpoint:
    """Give the newest checkpoint by the key that is served."""
    key = parse_key(httpx.get(f"{server.url}/v1/ledger/key").text)
    return open_checkpoint(httpx.get(f"{server.url}/v1/ledger/checkpoint").text, [key])


def is_one_history(server: Server, old: Checkpoint, new: Checkpoint) -> bool:
    asked = {"from": old.size, "to": new.size}
    hashes = httpx.get(f"{server.url}/v1/ledger/consistency", params=asked).json()["hashes"]
    return verify_consistency(old.size, new.size, old.root, new.root, [bytes.fromhex(item) for item in hashes])


def test_a_signer_killed_in_the_middle_loses_no_decision_and_forks_no_history(server: Server) -> None:
    until(lambda: httpx.get(f"{server.url}/v1/ledger/checkpoint").status_code == 200, 20, "the first checkpoint")
    seen, receipts = [checkpoint(server)], []
    with ThreadPoolExecutor(6) as pool:
        for _ in range(KILLS):
            deciding = [pool.submit(decide, server) for _ in range(40)]
            # In the middle of what they write, so that a batch is under way.
            receipts += [item.result()["receipt_id"] for item in deciding[:20]]
            (victim,) = server.pids("keeper")
            os.kill(victim, signal.SIGKILL)
            receipts += [item.result()["receipt_id"] for item in deciding[20:]]
            until(partial(_is_back, server, victim), 20, "the keeper's return")
            seen.append(checkpoint(server))
    until(lambda: server.run("status")["waiting_leaves"] == 0, 60, "a leaf for every decision")
    seen.append(checkpoint(server))
    proven = [httpx.get(f"{server.url}/v1/ledger/proof", params={"receipt": item}).status_code for item in receipts]
    print(f"decisions {len(receipts)}, proven {proven.count(200)}, signers killed {KILLS}, leaves {seen[-1].size}")
    assert proven == [200] * (40 * KILLS)
    for old, new in zip(seen, seen[1:], strict=False):
        assert is_one_history(server, old, new)
    assert server.run("ledger", "verify")["ok"]


def _is_back(server: Server, victim: int) -> bool:
    return any(pid != victim for pid in server.pids("keeper"))
