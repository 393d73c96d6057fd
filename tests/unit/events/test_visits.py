"""Visits: runs of one visitor's events with less than thirty minutes between them."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from consent_service.events.schema import VISIT_ATTRIBUTES, EventRow
from consent_service.events.visits import Visit, assign, attributes_of
from tests.unit.events.made import NOON, make_grant, make_row


def visit_ids(rows: list[EventRow], known: list[Visit] | None = None) -> list[int]:
    ids = count(100)
    return [visit.visit_id for visit in assign(rows, known or [], lambda: next(ids)).visits]


def test_thirty_minutes_of_silence_end_a_visit_and_a_moment_less_does_not() -> None:
    assert visit_ids([make_row(0), make_row(30)]) == [100, 101]
    assert visit_ids([make_row(0), make_row(29.99)]) == [100, 100]


def test_a_visit_lasts_as_long_as_its_events_keep_coming() -> None:
    assert visit_ids([make_row(minutes) for minutes in range(0, 300, 29)]) == [100] * 11


def test_visitors_and_sites_have_visits_of_their_own() -> None:
    rows = [make_row(0), make_row(1, visitor_id=2), make_row(2, site_id=2), make_row(3)]
    assert visit_ids(rows) == [100, 101, 102, 100]


def test_the_order_within_a_batch_does_not_matter() -> None:
    rows = [make_row(50), make_row(0), make_row(25)]
    assert visit_ids(rows) == [100, 100, 100]
    assert assign(rows, [], lambda: 7).visits[0].started_at == NOON


def test_an_event_joins_a_visit_of_an_earlier_batch() -> None:
    [visit] = assign([make_row(0)], [], lambda: 7).changed
    assert visit_ids([make_row(20)], [visit]) == [7]
    assert visit_ids([make_row(31)], [visit]) == [100]


def test_a_late_event_joins_without_moving_the_start() -> None:
    [visit] = assign([make_row(0)], [], lambda: 7).changed
    [grown] = assign([make_row(-20)], [visit], lambda: 8).changed
    assert (grown.visit_id, grown.started_at, grown.first_at) == (7, NOON, NOON - timedelta(minutes=20))


def test_an_event_between_two_visits_joins_the_nearer_and_merges_nothing() -> None:
    known = assign([make_row(0), make_row(40)], [], iter([7, 8]).__next__).changed
    assert visit_ids([make_row(25)], known) == [8]


def test_a_visit_has_the_attributes_of_its_first_event() -> None:
    rows = [make_row(5, source="Bing", country="DE"), make_row(0, source="Google", country="FR")]
    visit = assign(rows, [], lambda: 7).visits[0]
    for row in rows:
        attributes = dict(zip(VISIT_ATTRIBUTES, attributes_of(row, visit), strict=True))
        assert (attributes["source"], attributes["country"]) == ("Google", "FR")


def test_under_another_policy_version_a_row_keeps_its_own_attributes() -> None:
    later = make_row(5, grant=make_grant(policy_version=2))
    visit = assign([make_row(0, source="Google"), later], [], lambda: 7).visits[1]
    assert visit.visit_id == 7
    assert "Google" not in attributes_of(later, visit)


def test_a_row_takes_from_its_visit_only_what_its_own_grant_lets_be_stored() -> None:
    first = make_row(0, source="Google", utm_source="letter", device="desktop", os="Linux", country="FR")
    less = replace(make_grant(), data=frozenset({"page", "country"}))
    later = make_row(5, grant=less, country="FR")
    visit = assign([first, later], [], lambda: 7).visits[1]
    stored = dict(zip(VISIT_ATTRIBUTES, attributes_of(later, visit), strict=True))
    assert {name: value for name, value in stored.items() if value} == {"country": "FR"}
    assert dict(zip(VISIT_ATTRIBUTES, attributes_of(first, visit), strict=True))["source"] == "Google"


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 600)), max_size=40))
def test_one_batch_is_split_exactly_at_silences(events: list[tuple[int, int]]) -> None:
    rows = [make_row(minutes, visitor_id=visitor) for visitor, minutes in events]
    ids = visit_ids(rows)
    for visitor in (1, 2, 3):
        mine = sorted(
            (row.occurred_at, visit) for row, visit in zip(rows, ids, strict=True) if row.grant.visitor_id == visitor
        )
        for (before, first), (after, second) in zip(mine, mine[1:], strict=False):
            assert (first == second) == (after - before < timedelta(minutes=30))


@given(st.lists(st.integers(0, 600), max_size=30), st.integers(0, 30))
def test_splitting_an_ordered_stream_into_batches_changes_nothing(minutes: list[int], at: int) -> None:
    rows = [make_row(minute) for minute in sorted(minutes)]
    ids = count(100)
    first = assign(rows[:at], [], lambda: next(ids))
    second = assign(rows[at:], [replace(visit) for visit in first.changed], lambda: next(ids))
    assert [visit.visit_id for visit in (*first.visits, *second.visits)] == visit_ids(rows)
