"""Every step that ran is timed, and a dropped event ends with the step that dropped it."""

from __future__ import annotations

from uuid import uuid4

from consent_service.collect.pipeline import STEP_NAMES, run
from consent_service.collect.timings import StepTimes
from tests.unit.collect.test_pipeline import context, sent


def test_steps_are_counted_and_timed_by_name() -> None:
    times = StepTimes(STEP_NAMES)
    for _ in range(3):
        run(sent(), context(), times)
    run({"id": str(uuid4()), "name": 7}, context(), times)
    run(sent(url="https://evil.example/"), context(), times)
    read = {step.name: step for step in times.read()}
    assert list(read) == list(STEP_NAMES)
    counts = {name: step.count for name, step in read.items()}
    assert (counts["read_draft"], counts["drop_bot"], counts["put_page"], counts["put_revenue"]) == (5, 4, 4, 3)
    assert all(0 < step.seconds < 1 for step in read.values())
