"""Prepare numbers over time for the page: a table for everyone, and the same as data for the drawing script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from markupsafe import Markup

from consent_service.console.numbers import Series
from consent_service.console.wording import bucket_text

_UNIT_HEADINGS = {"hour": "Hour", "day": "Day", "week": "Week from", "month": "Month"}


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one series of a chart: its heading, the way it is drawn (`line` or `bars`) and a number per bucket."""

    id: str
    heading: str
    drawn: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Chart:
    """Hold a chart with as many labels as each line has values; the first line is drawn over the others."""

    id: str
    caption: str
    column: str
    labels: Sequence[str]
    lines: tuple[Line, ...]

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """Give the rows of the table: a label and the number of each line."""
        return [(label, [line.values[at] for line in self.lines]) for at, label in enumerate(self.labels)]

    @property
    def data(self) -> Markup:
        """Give the data for the script as JSON that cannot end the element it stands in."""
        document = {
            "labels": list(self.labels),
            "lines": [
                {"id": line.id, "heading": line.heading, "drawn": line.drawn, "values": list(line.values)}
                for line in self.lines
            ],
        }
        json = orjson.dumps(document).decode()
        return Markup(json.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def visitors_chart(series: Series) -> Chart:
    """Draw visitors and pageviews over time."""
    return Chart(
        id="traffic",
        caption=f"Visitors and pageviews by {series.unit}",
        column=_UNIT_HEADINGS[series.unit],
        labels=[bucket_text(label, series.unit) for label in series.labels],
        lines=(
            Line("visitors", "Visitors", "line", series.visitors),
            Line("pageviews", "Pageviews", "bars", series.pageviews),
        ),
    )


def decisions_chart(days: Sequence[dict[str, Any]]) -> Chart | None:
    """Draw the decisions of each day; None where there is nothing to draw. A kind that never came up is left out."""
    kinds = (("accepted", "Accepted"), ("refused", "Refused"), ("customised", "Customised"), ("withdrawn", "Withdrawn"))
    lines = [Line(kind, heading, "line", [row[kind] for row in days]) for kind, heading in kinds]
    drawn = tuple(line for line in lines if any(line.values))
    if len(days) < 2 or not drawn:
        return None
    labels = [bucket_text(row["day"], "day") for row in days]
    return Chart("decisions", "Decisions by day", "Day", labels, drawn)
