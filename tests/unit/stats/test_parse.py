"""Queries written as JSON: what is understood, and where what is not is said to be wrong."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.events.dialect import compile_statement
from consent_service.stats import sql
from consent_service.stats.parse import parse_query, site_of
from consent_service.stats.query import Filter, Operator, Order, Query, QueryError, Site

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE = Site(1, "Europe/Paris")
LEAST = {"site_id": "news.example", "metrics": ["visitors"], "date_range": "7d"}


def parse(**members: Any) -> Query:
    return parse_query({**LEAST, **members}, SITE, NOW)


def test_the_least_query_has_the_documented_defaults() -> None:
    query = parse()
    assert (query.dimensions, query.filters, query.limit, query.offset) == ((), (), 10_000, 0)
    assert query.order_by == (Order("visitors", True),)


def test_time_comes_first_in_the_default_order() -> None:
    query = parse(dimensions=["visit:source", "time:day"], metrics=["events", "visits"])
    assert query.order_by == (Order("time:day", False), Order("events", True))


def test_filters_keep_their_shape() -> None:
    asked = [
        ["contains", "event:page", ["/a", "/b"], {"case_sensitive": False}],
        ["or", [["is", "visit:source", ["Direct / None"]], ["not", ["is_not", "event:props:author", ["x"]]]]],
    ]
    query = parse(filters=asked)
    assert [condition.document() for condition in query.filters] == asked
    assert query.filters[0] == Filter(Operator.CONTAINS, "event:page", ("/a", "/b"), False)


def test_the_last_day_and_the_last_second_belong_to_the_period() -> None:
    period = parse(date_range=["2026-03-01", "2026-03-02"]).period
    assert (period.start, period.end) == (datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 2, 23, tzinfo=UTC))
    period = parse(date_range=["2026-03-01T12:00:00+02:00", "2026-03-01T12:59:59+02:00"]).period
    assert (period.start, period.end) == (datetime(2026, 3, 1, 10, tzinfo=UTC), datetime(2026, 3, 1, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"colour": "red"}, ""),
        ({"site_id": 3}, "/site_id"),
        ({"metrics": []}, "/metrics"),
        ({"metrics": ["visitors", "visitors"]}, "/metrics/1"),
        ({"metrics": ["hits"]}, "/metrics/0"),
        ({"metrics": [["visitors"]]}, "/metrics/0"),
        ({"metrics": ["percentage"]}, "/metrics/0"),
        ({"dimensions": ["visit:mood"]}, "/dimensions/0"),
        ({"dimensions": ["event:props:"]}, "/dimensions/0"),
        ({"dimensions": ["time", "time:day"]}, "/dimensions"),
        ({"dimensions": ["event:name"], "metrics": ["visits", "bounce_rate"]}, "/metrics/1"),
        ({"dimensions": ["event:hostname"], "metrics": ["bounce_rate"]}, "/metrics/0"),
        ({"date_range": "2d"}, "/date_range"),
        ({"date_range": ["2026-03-02", "2026-03-01"]}, "/date_range"),
        ({"date_range": ["2026-03-01T12:00:00", "2026-03-02T12:00:00"]}, "/date_range"),
        ({"date_range": ["0001-01-01", "9999-12-31"]}, "/date_range"),
        ({"date_range": ["1971-01-01", "2026-12-31"]}, "/date_range"),
        ({"filters": {}}, "/filters"),
        ({"filters": [["is", "event:page"]]}, "/filters/0"),
        ({"filters": [["is", "event:page", []]]}, "/filters/0/2"),
        ({"filters": [["is", "event:page", [3]]]}, "/filters/0/2/0"),
        ({"filters": [["is", "event:page", ["\ud800"]]]}, "/filters/0/2/0"),
        ({"filters": [["is", "event:goal", ["x"]]]}, "/filters/0/1"),
        ({"filters": [["is", "time:day", ["x"]]]}, "/filters/0/1"),
        ({"filters": [["matches", "event:page", ["x"]]]}, "/filters/0/0"),
        ({"filters": [["and", []]]}, "/filters/0/1"),
        ({"filters": [["is", "event:page", ["x"], {"case": 1}]]}, "/filters/0/3"),
        ({"order_by": [["visits", "asc"]]}, "/order_by/0"),
        ({"order_by": [["visitors", "up"]]}, "/order_by/0"),
        ({"include": {"time_labels": True}}, "/include/time_labels"),
        ({"include": {"total_rows": 1}}, "/include/total_rows"),
        ({"include": {"comparisons": {}}}, "/include"),
        ({"pagination": {"limit": 0}}, "/pagination/limit"),
        ({"pagination": {"limit": True}}, "/pagination/limit"),
        ({"pagination": {"offset": -1}}, "/pagination/offset"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(members: dict[str, Any], pointer: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(**members)
    assert caught.value.pointer == pointer


def test_an_unknown_name_is_answered_with_the_supported_ones() -> None:
    with pytest.raises(QueryError, match=r'"hits".*visitors, visits, pageviews, events, bounce_rate'):
        parse(metrics=["hits"])


def test_filters_nest_eight_deep_and_no_deeper() -> None:
    condition: list[Any] = ["is", "event:page", ["/"]]
    for _ in range(7):
        condition = ["not", condition]
    assert parse(filters=[condition]).filters
    with pytest.raises(QueryError, match="nested"):
        parse(filters=[["not", condition]])


def test_the_site_is_read_before_it_is_known() -> None:
    assert site_of(LEAST) == "news.example"
    with pytest.raises(QueryError):
        site_of([])


NAMES = st.sampled_from(
    [
        "visitors",
        "visits",
        "bounce_rate",
        "percentage",
        "event:page",
        "event:name",
        "visit:entry_page",
        "time",
        "time:week",
        "event:props:a'b",
        "x",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=5)
    | NAMES
    | st.sampled_from(["is", "contains_not", "and", "not", "asc", "7d", "all"])
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=3) | st.sampled_from(["limit", "time_labels", "case_sensitive"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)
FILTERS = st.recursive(
    st.tuples(st.sampled_from(list(Operator)).map(str), NAMES, st.lists(st.text(max_size=5), max_size=2)).map(list),
    lambda inner: (
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, max_size=2)).map(list)
        | st.tuples(st.just("not"), inner).map(list)
    ),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {
            "site_id": st.just("x"),
            "metrics": st.lists(NAMES, max_size=3) | TREES,
            "date_range": st.sampled_from(["7d", "all"]) | TREES,
        },
        optional={
            "dimensions": st.lists(NAMES, max_size=3) | TREES,
            "filters": st.lists(FILTERS, max_size=2) | TREES,
            "order_by": TREES,
            "include": TREES,
            "pagination": TREES,
        },
    )
    | TREES
)
def test_any_document_is_a_query_or_a_refusal(document: Any) -> None:
    try:
        query = parse_query(document, SITE, NOW)
    except QueryError as error:
        pointer = error.pointer
    else:
        pointer = ""
        _check_statement(query)
    assert pointer == "" or pointer.startswith("/")


def _check_statement(query: Query) -> None:
    if query.period.start is not None:
        text, values = compile_statement(sql.statement(query))
        assert text.count("$") >= len(values) > 0


def test_texts_of_a_filter_are_bound_and_never_written_into_the_statement() -> None:
    hostile = "x'; DROP TABLE event; --"
    query = parse(
        dimensions=[f"event:props:{hostile}"],
        filters=[
            ["is", "event:page", [hostile]],
            ["contains", f"event:props:{hostile}", [hostile], {"case_sensitive": False}],
        ],
    )
    text, values = compile_statement(sql.statement(query))
    assert "DROP" not in text
    assert hostile in values
