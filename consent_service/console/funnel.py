"""Show what visitors decided, without guessing anything about those who did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from consent_service.consent.report import IGNORED, SHOWN, consent_by_day, sum_up
from consent_service.consent.report_by import By
from consent_service.consent.shown import add_shown, sum_shown
from consent_service.console.spans import Span
from consent_service.console.wording import NO_NUMBER, change_text, count_text, percent_text
from consent_service.sites.registry import Site

_MEANINGS: Final = (
    ("accepted", "Accepted", "Agreed to every purpose."),
    ("customised", "Customised", "Agreed to some purposes and refused others."),
    ("refused", "Refused", "Refused every purpose. A refusal is kept without any identifier."),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold one kind of answer; `offset` and `share` place it in the bar, in percent of all who decided."""

    kind: str
    heading: str
    meaning: str
    count: int
    rate: str
    before: str
    change: str
    offset: float
    share: float


@dataclass(frozen=True, slots=True)
class Funnel:
    """Hold a period's decisions; `days` has a row for each day.

    `shown` and `ignored` are None where no banner was counted in the period; `is_counted` says whether the site counts.
    """

    decided: int
    answers: tuple[Answer, ...]
    agreed_rate: str
    withdrawn: int
    withdrawn_before: int
    expired: int
    is_counted: bool
    shown: int | None
    ignored: int | None
    days: tuple[dict[str, Any], ...]


def load_funnel(engine: Engine, site: Site, span: Span, now: datetime) -> Funnel:
    """Read the decisions of a span and of the one before it."""
    zone = ZoneInfo(site.settings.timezone)
    with engine.connect() as connection:
        rows = consent_by_day(connection, site.site_id, span.first_day, span.last_day, zone, now)
        earlier = consent_by_day(connection, site.site_id, span.before_first, span.before_last, zone, now)
        rows = add_shown(connection, site, span.first_day, span.last_day, By.DAY, rows)
    return make_funnel(rows, earlier, is_counted=site.settings.coverage_counts)


def make_funnel(
    rows: Sequence[dict[str, Any]], earlier: Sequence[dict[str, Any]], *, is_counted: bool = False
) -> Funnel:
    """Add up the days of a period and of the one before it."""
    sums, before = sum_up(rows), sum_up(earlier)
    decided = sum(sums[kind] for kind, _, _ in _MEANINGS)
    shown = sum_shown(rows)
    agreed = sums["accepted"] + sums["customised"]
    return Funnel(
        decided=decided,
        answers=tuple(_answers(sums, before, decided)),
        agreed_rate=percent_text(100 * agreed / decided if decided else None),
        withdrawn=sums["withdrawn"],
        withdrawn_before=before["withdrawn"],
        expired=sums["expired"],
        is_counted=is_counted,
        shown=shown[SHOWN],
        ignored=shown[IGNORED],
        days=tuple(rows),
    )


def _answers(sums: dict[str, Any], before: dict[str, Any], decided: int) -> list[Answer]:
    found: list[Answer] = []
    offset = 0.0
    for kind, heading, meaning in _MEANINGS:
        rate, rate_before = sums[f"{kind}_rate"], before[f"{kind}_rate"]
        share = 100 * sums[kind] / decided if decided else 0.0
        # A change of a rate is told in points, as that of the bounce rate is.
        is_comparable = rate is not None and rate_before is not None
        change = change_text("bounce_rate", rate, rate_before) if is_comparable else ""
        earlier = f"{count_text(before[kind])} ({percent_text(rate_before)})" if rate_before is not None else NO_NUMBER
        found.append(
            Answer(
                kind,
                heading,
                meaning,
                sums[kind],
                percent_text(rate),
                earlier,
                change,
                round(offset, 3),
                round(share, 3),
            )
        )
        offset += share
    return found
