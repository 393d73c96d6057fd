"""Put events into visits: runs of one visitor's events with less than thirty minutes between them (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from consent_service.events.schema import GROUP_OF, VISIT_ATTRIBUTES, EventRow

SILENCE: Final = timedelta(minutes=30)

# An event is at most 72 hours old when it is received; the rest is room for an inbox that was not drained.
JOINABLE_FOR: Final = timedelta(hours=72) + SILENCE + timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Visit:
    """Hold a visit that events may still join.

    `started_at` is fixed when the visit is first stored; `first_at` and `last_at` span its events.
    `attributes` are those of VISIT_ATTRIBUTES, in that order, from the visit's first event.
    """

    site_id: int
    visitor_id: int
    visit_id: int
    started_at: datetime
    first_at: datetime
    last_at: datetime
    policy_version: int
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Hold the visit of each row, in the order of the rows, and the visits that are new or grew."""

    visits: list[Visit]
    changed: list[Visit]


def assign(rows: Sequence[EventRow], known: Iterable[Visit], new_id: Callable[[], int]) -> Assignment:
    """Give every row its visit, opening new ones where no known visit of its visitor is near enough.

    Rows are taken in the order in which they occurred, whatever their order in the batch.
    """
    visits: dict[tuple[int, int], list[Visit]] = defaultdict(list)
    for visit in known:
        visits[visit.site_id, visit.visitor_id].append(visit)
    chosen: dict[int, int] = {}
    changed: dict[int, Visit] = {}
    for index in sorted(range(len(rows)), key=lambda i: (rows[i].occurred_at, rows[i].received_at)):
        row = rows[index]
        candidates = visits[row.grant.site_id, row.grant.visitor_id]
        place = _nearest(candidates, row.occurred_at)
        if place is None:
            place = len(candidates)
            candidates.append(_open(row, new_id()))
        else:
            candidates[place] = _stretch(candidates[place], row.occurred_at)
        visit = candidates[place]
        chosen[index] = visit.visit_id
        changed[visit.visit_id] = visit
    return Assignment([changed[chosen[index]] for index in range(len(rows))], list(changed.values()))


def attributes_of(row: EventRow, visit: Visit) -> tuple[str, ...]:
    """Give the visit-level attributes to store on a row: those of its visit that its grant lets be stored.

    Under another policy version the row keeps its own, because that version may declare less. A policy may declare less
    than the one before it without asking anybody anew, so the version alone does not tell what may be stored.
    """
    if visit.policy_version != row.grant.policy_version:
        return own_attributes(row)
    data = row.grant.data
    return tuple(
        value if group in data else "" for value, group in zip(visit.attributes, GROUP_OF.values(), strict=True)
    )


def own_attributes(row: EventRow) -> tuple[str, ...]:
    """Give the attributes a row brings itself, in the order of VISIT_ATTRIBUTES."""
    return tuple(getattr(row, name) for name in VISIT_ATTRIBUTES)


def _nearest(visits: list[Visit], at: datetime) -> int | None:
    near = [(gap, place) for place, visit in enumerate(visits) if (gap := _gap(visit, at)) < SILENCE]
    return min(near)[1] if near else None


def _gap(visit: Visit, at: datetime) -> timedelta:
    return max(visit.first_at - at, at - visit.last_at, timedelta(0))


def _open(row: EventRow, visit_id: int) -> Visit:
    at, grant = row.occurred_at, row.grant
    return Visit(grant.site_id, grant.visitor_id, visit_id, at, at, at, grant.policy_version, own_attributes(row))


def _stretch(visit: Visit, at: datetime) -> Visit:
    if visit.first_at <= at <= visit.last_at:
        return visit
    return replace(visit, first_at=min(visit.first_at, at), last_at=max(visit.last_at, at))
