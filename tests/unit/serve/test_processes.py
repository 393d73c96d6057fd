"""A process that dies is started again within two seconds, however often it does."""

from __future__ import annotations

import time

from consent_service.serve.processes import Child

PROMISED_SECONDS = 2.0


def test_a_child_that_dies_at_every_start_is_due_again_within_two_seconds() -> None:
    child = Child("doomed", lambda pipe: None)
    for _ in range(5):
        child.start([])
        assert child.process is not None
        child.process.join()
        died_at = time.monotonic()
        while not child.has_died():
            assert time.monotonic() - died_at < PROMISED_SECONDS
            time.sleep(0.01)
    child.end(1)
