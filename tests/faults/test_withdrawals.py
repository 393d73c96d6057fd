"""Withdrawing under load leaves nothing, whether the event store moves or stands still meanwhile."""

from __future__ import annotations

import pytest

from bench.withdrawals import Site, withdraw_under_load
from tests.faults.conftest import Server


@pytest.mark.parametrize("stall", [0.0, 4.0], ids=["moving", "standing still"])
def test_withdrawals_under_load_leave_no_row_and_wait_for_no_store(server: Server, stall: float) -> None:
    done = withdraw_under_load(Site(server.port, server.key, server.token, server.directory), 40, stall)
    print(f"p99 {done.share(0.99):.0f} ms, {done.accepted} events accepted, {done.left} rows left")
    assert done.left == 0
    assert done.accepted > 100
    # A store that stands still is waited for by nobody: no withdrawal took as long as it did.
    assert max(done.milliseconds) < 2_000
