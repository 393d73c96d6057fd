"""Say as what a decision counts in reports. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from consent_service.consent.decision import Action

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
CUSTOMISED: Final = "customised"
WITHDRAWN: Final = "withdrawn"


def kinds_of(action: str, purposes: Mapping[str, bool], withdrawn: Sequence[str]) -> list[str]:
    """Say as what a decision counts; one that withdraws and grants counts as both."""
    kinds = [WITHDRAWN] if withdrawn else []
    if action == Action.WITHDRAW:
        return kinds
    granted = sum(purposes.values())
    if granted == 0:
        # Reopening and refusing is a withdrawal; counting it as a refusal too would count one person twice.
        return kinds or [REFUSED]
    return [*kinds, ACCEPTED if granted == len(purposes) else CUSTOMISED]
