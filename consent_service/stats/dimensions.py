"""Register every dimension: what it groups by, and the words for a value that is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement

from consent_service.events.dialect import map_value
from consent_service.events.schema import event
from consent_service.stats.query import Unit

NOT_SET: Final = "(not set)"
NO_SOURCE: Final = "Direct / None"
PROPS: Final = "event:props:"
LONGEST_PROP: Final = 300


class Kind(StrEnum):
    """Say of what a dimension is a property."""

    TIME = "time"
    EVENT = "event"
    VISIT = "visit"
    VISIT_END = "visit_end"


@dataclass(frozen=True, slots=True)
class Dimension:
    """Describe a dimension; `column` is that of the event table, or of the visit's ends for VISIT_END."""

    name: str
    kind: Kind
    column: str = ""
    unknown: str = NOT_SET
    unit: Unit | None = None

    def of_row(self) -> ColumnElement[Any]:
        """Give the value an event row holds (kinds EVENT and VISIT)."""
        if self.name.startswith(PROPS):
            return map_value(event.c.props, self.column)
        return event.c[self.column]

    def shown(self, stored: str) -> str:
        """Give the word a report shows for a stored value."""
        return stored or self.unknown

    def stored(self, shown: str) -> str:
        """Give the stored value of a word a report shows."""
        return "" if shown == self.unknown else shown


def _visit(*columns: str) -> list[Dimension]:
    return [Dimension(f"visit:{column}", Kind.VISIT, column) for column in columns]


_ALL: Final = [
    Dimension("time", Kind.TIME),
    *(Dimension(f"time:{unit}", Kind.TIME, unit=unit) for unit in Unit),
    Dimension("event:page", Kind.EVENT, "path"),
    Dimension("event:name", Kind.EVENT, "name"),
    Dimension("event:hostname", Kind.EVENT, "hostname"),
    Dimension("visit:source", Kind.VISIT, "source", NO_SOURCE),
    Dimension("visit:channel", Kind.VISIT, "channel"),
    Dimension("visit:referrer", Kind.VISIT, "referrer", NO_SOURCE),
    *_visit("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
    *_visit("device", "browser", "browser_version", "os", "os_version", "screen"),
    *_visit("country", "region", "city"),
    Dimension("visit:entry_page", Kind.VISIT_END, "entry_page"),
    Dimension("visit:exit_page", Kind.VISIT_END, "exit_page"),
]
DIMENSIONS: Final[dict[str, Dimension]] = {dimension.name: dimension for dimension in _ALL}

# What may be written in place of a name: the registry's names and the open family of props.
NAMES: Final = (*DIMENSIONS, f"{PROPS}NAME")


def find(name: str) -> Dimension | None:
    """Give the dimension of that name, None when there is none."""
    if name.startswith(PROPS):
        prop = name.removeprefix(PROPS)
        return Dimension(name, Kind.EVENT, prop) if 0 < len(prop) <= LONGEST_PROP else None
    return DIMENSIONS.get(name)


def get(name: str) -> Dimension:
    """Give the dimension of a checked name; raises KeyError for another."""
    found = find(name)
    if found is None:
        raise KeyError(name)
    return found
