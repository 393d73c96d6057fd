"""What every ring of tests shares: marks by directory, hypothesis profiles, databases, the browser."""

import gc
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.chromium import FLAGS, find_chromium

pytest_plugins = ["tests.clickhouse", "tests.postgres"]

RINGS = ("unit", "integration", "browser", "faults")

# Deadlines measure the machine, not the code. In CI the examples are the same on every run.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, max_examples=200, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "local"))


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of garbage collection: it stays, and looking at it again takes time."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with the ring it lies in, so that `-m integration` selects a ring from anywhere."""
    here = Path(__file__).parent
    for item in items:
        ring = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
        if ring in RINGS:
            item.add_marker(getattr(pytest.mark, ring))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Drive the Chromium of this machine, with nothing in it that talks to its maker."""
    program = find_chromium()
    if program is None:
        pytest.fail(
            "No Chromium: install one (Debian: apt install chromium) or set CONSENT_TEST_CHROMIUM",
            pytrace=False,
        )
    return {**browser_type_launch_args, "executable_path": program, "args": list(FLAGS)}
