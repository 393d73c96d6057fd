"""What is drawn: decisions added up, charts with their data."""

import json
from typing import Any

from markupsafe import escape

from consent_service.console.chart import Chart, Line, decisions_chart
from consent_service.console.funnel import make_funnel


def _day(day: str, **counts: int) -> dict[str, Any]:
    kinds = ("accepted", "refused", "customised", "withdrawn", "expired")
    return {"day": day, "shown": None, "ignored": None, **{kind: counts.get(kind, 0) for kind in kinds}}


def test_the_funnel_tells_shares_of_those_who_decided_and_the_change_in_points() -> None:
    rows = [_day("2026-03-01", accepted=2, refused=1, withdrawn=4), _day("2026-03-02", accepted=1, customised=4)]
    funnel = make_funnel(rows, [_day("2026-02-28", accepted=1, refused=1)])
    accepted, customised, refused = funnel.answers
    assert funnel.decided == 8
    assert funnel.agreed_rate == "87.5 %"
    assert (accepted.count, accepted.rate, accepted.before, accepted.change) == (
        3,
        "37.5 %",
        "1 (50.0 %)",
        "▼ 12.5 points",
    )
    assert (customised.offset, customised.share, refused.offset, refused.share) == (37.5, 50.0, 87.5, 12.5)
    assert (funnel.withdrawn, funnel.withdrawn_before) == (4, 0)


def test_without_decisions_there_is_no_rate_and_nothing_to_compare() -> None:
    funnel = make_funnel([_day("2026-03-01")], [_day("2026-02-28")])
    assert (funnel.decided, funnel.agreed_rate) == (0, "–")
    assert {answer.change for answer in funnel.answers} == {""}


def test_kinds_that_never_came_up_are_not_drawn_and_a_single_day_is_no_chart() -> None:
    days = [_day("2026-03-01", accepted=1), _day("2026-03-02", refused=2)]
    chart = decisions_chart(days)
    assert chart is not None
    assert [line.id for line in chart.lines] == ["accepted", "refused"]
    assert chart.rows == [("1 Mar", [1, 0]), ("2 Mar", [0, 2])]
    assert decisions_chart(days[:1]) is None
    assert decisions_chart([_day("2026-03-01"), _day("2026-03-02")]) is None


def test_chart_data_cannot_end_the_element_it_stands_in() -> None:
    chart = Chart("x", "x", "x", ["</script><script>alert(1)</script>"], (Line("a", "<!--&", "line", [1]),))
    assert not set("<>&") & set(chart.data)
    assert escape(chart.data) == chart.data
    assert json.loads(chart.data)["labels"] == ["</script><script>alert(1)</script>"]
