"""Make up decisions and receipts of the shapes that visitors leave."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from typing import Any

import orjson

from consent_service.consent.kinds import kinds_of
from consent_service.ids import new_id, new_receipt_id, new_visitor_id

LANGUAGES = ("fr", "fr", "fr", "en", "es")
DEVICES = ("mobile", "mobile", "desktop", "tablet")
COUNTRIES = ("FR", "FR", "FR", "BE", "CH", "DE", "ES", "GB")
VERSIONS = 4
SHARES = {"accept_all": 55, "refuse_all": 30, "save": 10, "withdraw": 5}
DAYS = timedelta(days=180)


class Rows:
    """Make rows of one site, each `step` after the one before."""

    def __init__(self, chance: Random, start: datetime, step: timedelta) -> None:
        self.chance, self.start, self.step = chance, start, step
        self._refused: Counter[tuple[Any, str, str]] = Counter()

    def take(self, first: int, count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Give some decisions and the receipts of those that granted or withdrew."""
        decisions, receipts = [], []
        for number in range(first, first + count):
            made, kept = self._pair(number)
            decisions.append(made)
            if kept is not None:
                receipts.append(kept)
        return decisions, receipts

    def refusals(self, site_id: int) -> list[dict[str, Any]]:
        """Give the daily sums of the refusals made so far."""
        return [
            {"site_id": site_id, "day": day, "action": "refuse_all", "dimension": name, "value": value, "n": n}
            for (day, name, value), n in self._refused.items()
        ]

    def _pair(self, number: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
        pick = self.chance.choice
        action = self.chance.choices(list(SHARES), list(SHARES.values()))[0]
        at = self.start + number * self.step
        device, country, language = pick(DEVICES), pick(COUNTRIES), pick(LANGUAGES)
        version = 1 + VERSIONS * number * self.step // timedelta(days=365) % VERSIONS
        granted = {"accept_all": ("analytics", "marketing"), "save": ("analytics",)}.get(action, ())
        is_refusal = action == "refuse_all"
        if is_refusal:
            self._refused.update({(at.date(), "device", device): 1, (at.date(), "country", country): 1})
        made: dict[str, Any] = {
            "decision_id": new_id(),
            "site_id": 1,
            "receipt_id": None if is_refusal else new_receipt_id(),
            "previous_id": new_id() if action == "withdraw" else None,
            "action": action,
            "purposes": {name: name in granted for name in ("analytics", "marketing")},
            "withdrawn": ["analytics"] if action == "withdraw" else [],
            "policy_version": version,
            "notice_hash": f"{version}{language}".ljust(64, "0"),
            "language": language,
            "mechanism": "banner",
            "device": device if granted else None,
            "country": country if granted else None,
            "decided_at": at,
            "expires_at": at + DAYS,
        }
        document = {**made, "evidence": "0" * 500 if granted else "", "type": "decision"}
        kinds = " ".join(kinds_of(action, made["purposes"], made["withdrawn"]))
        made |= {"record": orjson.dumps(document), "salt": self.chance.randbytes(32), "counts_as": kinds}
        return made, None if is_refusal else _receipt(made, granted)


def _receipt(made: dict[str, Any], granted: tuple[str, ...]) -> dict[str, Any]:
    same = ("receipt_id", "site_id", "decision_id", "decided_at", "expires_at", "policy_version", "notice_hash")
    at = made["decided_at"]
    return {
        **{name: made[name] for name in same},
        "visitor_id": new_visitor_id(),
        "visitor_at": at,
        "granted_at": at,
        "purposes": list(granted),
        "withdrawn": made["withdrawn"],
        "withdrawn_at": None if granted else at,
        "created_at": at,
    }
