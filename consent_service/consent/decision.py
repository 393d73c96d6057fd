"""Read a decision or a withdrawal as a page sends it, and judge it against the policy it was made under (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Action(StrEnum):
    """Name the acts of a visitor."""

    ACCEPT_ALL = "accept_all"
    REFUSE_ALL = "refuse_all"
    SAVE = "save"
    WITHDRAW = "withdraw"


class Mechanism(StrEnum):
    """Say by which means a visitor acted."""

    BANNER = "banner"
    PREFERENCES = "preferences"
    NO_JS = "no_js"
    API = "api"
    SIGNAL = "signal"


_Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Digest = Annotated[str, StringConstraints(max_length=200)]
_PurposeId = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class _Lenient(BaseModel):
    # Pinned scripts live for ever: what a later or an earlier one sends beside the known members is ignored.
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Signals(_Lenient):
    """Hold the signals the browser sent."""

    gpc: bool = False


class Evidence(_Lenient):
    """Hold what shows that refusing was really offered and that a person clicked."""

    refuse_visible: bool | None = None
    area_ratio: Annotated[float, Field(ge=0, le=1000)] | None = None
    trusted: bool | None = None


class DecisionRequest(_Lenient):
    """Hold the body of `POST /v1/decisions`."""

    site: _Key
    action: Annotated[str, StringConstraints(pattern=r"^(accept_all|refuse_all|save)$")]
    purposes: Annotated[dict[_PurposeId, bool], Field(max_length=40)]
    policy_version: Annotated[int, Field(ge=0, le=2_000_000_000)]
    banner_hash: _Digest | None = None
    language: Annotated[str, StringConstraints(max_length=35)] | None = None
    # Tokens of any length: judging them is the signer's part, and one that is none of ours never fails a refusal.
    previous: str | None = None
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    mechanism: Annotated[str, StringConstraints(pattern=r"^(banner|preferences|no_js|api|signal)$")] = "api"
    rendered_hash: _Hash | None = None
    script_hash: _Digest | None = None
    layer: Annotated[int, Field(ge=1, le=9)] | None = None
    signals: Signals = Signals()
    asked: Annotated[list[_PurposeId], Field(max_length=40)] | None = None
    evidence: Evidence | None = None

    @property
    def granted(self) -> tuple[str, ...]:
        """Give the purposes the visitor granted."""
        return tuple(purpose for purpose, is_granted in self.purposes.items() if is_granted)

    @property
    def is_refusal(self) -> bool:
        """Tell whether nothing at all is granted, however it was said."""
        return not self.granted

    @property
    def evidence_document(self) -> dict[str, Any]:
        """Give what a grant's record keeps as evidence."""
        return {
            "rendered_hash": self.rendered_hash,
            "script_hash": self.script_hash,
            "layer": self.layer,
            "signals": self.signals.model_dump(),
            "asked": self.asked,
            "evidence": None if self.evidence is None else self.evidence.model_dump(),
        }


class WithdrawalRequest(_Lenient):
    """Hold the body of `POST /v1/withdrawals`."""

    site: _Key
    token: str | None = None
    purposes: Annotated[list[_PurposeId], Field(max_length=40)] | None = None
    # Part of the contract, and taken as true: only the visitor's own page keeps what was collected.
    erase: bool = True
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    mechanism: Annotated[str, StringConstraints(pattern=r"^(banner|preferences|no_js|api|signal)$")] = "api"
    language: Annotated[str, StringConstraints(max_length=35)] | None = None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Tell that a decision's purposes do not fit its policy or its action; `pointer` says where (RFC 6901)."""

    pointer: str
    message: str


def mismatches(request: DecisionRequest, purpose_ids: Sequence[str] | None) -> list[Mismatch]:
    """Tell where the purposes do not name exactly the policy's, or do not agree with the action.

    `purpose_ids` is None when a refusal cites a version nobody knows: refusing never fails for that.
    """
    found: list[Mismatch] = []
    if purpose_ids is not None:
        found += [Mismatch(f"/purposes/{name}", "is missing") for name in purpose_ids if name not in request.purposes]
        found += [
            Mismatch(f"/purposes/{_escaped(name)}", "is not an optional purpose of this policy version")
            for name in request.purposes
            if name not in purpose_ids
        ]
    names_nothing = purpose_ids is None and not request.purposes
    if request.action == Action.ACCEPT_ALL and (names_nothing or not all(request.purposes.values())):
        found.append(Mismatch("/purposes", "accept_all grants every purpose"))
    if request.action == Action.REFUSE_ALL and any(request.purposes.values()):
        found.append(Mismatch("/purposes", "refuse_all grants no purpose"))
    return found


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
