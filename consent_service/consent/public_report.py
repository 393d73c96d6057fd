"""Show the consent report in public: no count of fewer than ten, and none from which one could be worked out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from consent_service.consent.kinds import ACCEPTED, CUSTOMISED, REFUSED
from consent_service.consent.report import COUNTS, IGNORED, SHOWN, sum_up
from consent_service.sites.access import SMALLEST_CELL, hide_small

_DECIDED: Final = (ACCEPTED, REFUSED, CUSTOMISED)


def hide_small_days(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Give the rows of `consent_by_day` and their totals with None for counts under ten.

    A total is given where every day it adds up is given, so that all that is shown follows from the days that are
    shown: no choice of days tells more of one day than the day itself does.
    """
    # What was shown and not answered would, with the rest, tell the count that is hidden: neither is given in public.
    given = ({**row, **dict.fromkeys((SHOWN, IGNORED))} for row in rows)
    shown = [_without_rates({**row, **{kind: hide_small(row[kind]) for kind in COUNTS}}) for row in given]
    hidden = {kind for kind in COUNTS if any(row[kind] is None for row in shown)}
    totals = _without_rates({**sum_up(rows), **dict.fromkeys(hidden)})
    cells = sum(row[kind] is None for row in shown for kind in COUNTS)
    privacy = {"smallest_cell": SMALLEST_CELL, "unit": "decisions", "hidden": cells}
    return {"results": shown, "totals": totals, "privacy": privacy}


def _without_rates(row: dict[str, Any]) -> dict[str, Any]:
    """Take the rates away where one of the counts behind them is hidden: the others would tell it."""
    if all(row[kind] is not None for kind in _DECIDED):
        return row
    return {**row, **{f"{kind}_rate": None for kind in _DECIDED}}
