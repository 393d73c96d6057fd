"""Show viewers figures of ten people or more, and none from which a smaller one could be worked out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from consent_service.console.funnel import Funnel
from consent_service.console.numbers import count_visitors, totals
from consent_service.console.spans import Span
from consent_service.console.wording import count_text
from consent_service.days import day_start
from consent_service.events.store import Reader
from consent_service.sites.access import SMALLEST_CELL, hide_small
from consent_service.sites.registry import Site
from consent_service.stats.privacy import inner_starts


def viewer_figures(reader: Reader, site: Site, span: Span, funnel: Funnel, now: datetime) -> dict[str, Any]:
    """Give the numbers of a site's page for viewers: totals and decisions, empty where they are about a few."""
    # Each period is shown beside the one before it, so what both together leave of a longer one counts as well.
    starts = inner_starts(span.period, now, repeats=2)
    stretches = [replace(span.period, end=day_start(start, ZoneInfo(span.period.zone))) for start in starts]
    visitors = (count_visitors(reader, site, period) for period in (span.period, span.before, *stretches))
    decisions = (count for answer in funnel.answers for count in _counts(funnel.days, answer.kind, starts))
    return {
        "totals": () if _has_small(visitors) else totals(reader, site, span.period, span.before),
        "funnel": None if _has_small(decisions) else funnel,
        "withdrawn": _few_text(_counts(funnel.days, "withdrawn", starts)),
    }


def _counts(days: Sequence[dict[str, Any]], kind: str, starts: Sequence[date]) -> list[int]:
    """Count decisions in all of the days, and in those before each start."""
    bounds = [None, *(start.isoformat() for start in starts)]
    return [sum(row[kind] for row in days if bound is None or row["day"] < bound) for bound in bounds]


def _few_text(counts: Sequence[int]) -> str:
    if not _has_small(counts):
        return count_text(counts[0])
    return f"under {SMALLEST_CELL}" if hide_small(counts[0]) is None else "not shown"


def _has_small(counts: Iterable[int]) -> bool:
    return any(hide_small(count) is None for count in counts)
