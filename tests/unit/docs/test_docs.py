"""Every setting, refusal, drop reason, metric and dimension is documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent_service.collect.drops import DropReason
from consent_service.collect.pipeline import NEEDED
from consent_service.config import NAMES
from consent_service.consent.gate import Refusal
from consent_service.consent.policy import DataGroup
from consent_service.stats.dimensions import NAMES as DIMENSIONS
from consent_service.stats.metrics import METRICS

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("settings.md", list(NAMES)),
        ("events.md", [str(refusal) for refusal in Refusal]),
        ("events.md", [str(reason) for reason in DropReason]),
        ("events.md", [*NEEDED, *NEEDED.values(), *(str(group) for group in DataGroup if group != "vitals")]),
        ("metrics.md", list(METRICS)),
        ("metrics.md", list(DIMENSIONS)),
    ],
)
def test_every_name_is_documented(page: str, names: list[str]) -> None:
    text = (DOCS / page).read_text()
    assert [name for name in names if f"`{name}`" not in text] == []
