"""What the generator counts while it tells is what counting the whole story again gives."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from consent_service.demo.shares import Browser, Profile
from consent_service.demo.story import ZONE, Act, Decision, Event, Item, Sitting, story
from consent_service.demo.truth import Truth

NOW = datetime(2026, 11, 24, 17, 3, 20, tzinfo=UTC)
PROFILE = Profile("FR", "fr", Browser("Desktop", "Linux", "", "Firefox", "144", 1920))
HALF_HOUR = timedelta(minutes=30)


@pytest.fixture(scope="module")
def told() -> list[Item]:
    return list(story(9, 12_000, NOW))


def count(items: list[Item], now: datetime = NOW, zone: ZoneInfo = ZONE) -> dict[str, Any]:
    truth = Truth(now, zone)
    assert list(truth.watch(items)) == items
    return truth.document()


def visits_of(items: list[Item]) -> list[list[tuple[int, Event, str]]]:
    """Cut each visitor's events, sorted anew, wherever half an hour was silent."""
    by_visitor: dict[int, list[tuple[int, Event, str]]] = defaultdict(list)
    for item in items:
        if isinstance(item, Sitting) and not item.is_erased:
            by_visitor[item.visitor] += [(item.visitor, event, item.profile.country) for event in item.events]
    visits: list[list[tuple[int, Event, str]]] = []
    for events in by_visitor.values():
        events.sort(key=lambda found: found[1].at)
        for place, found in enumerate(events):
            if place == 0 or found[1].at - events[place - 1][1].at >= HALF_HOUR:
                visits.append([])
            visits[-1].append(found)
    return visits


def figures(visits: list[list[tuple[int, Event, str]]], first: date, last: date) -> dict[str, Any]:
    def is_within(at: datetime) -> bool:
        return first <= at.astimezone(ZONE).date() <= last

    events = [found for visit in visits for found in visit if is_within(found[1].at)]
    whole = [visit for visit in visits if is_within(visit[0][1].at)]
    seconds = [(visit[-1][1].at - visit[0][1].at).total_seconds() for visit in whole]
    return {
        "visitors": len({visitor for visitor, _, _ in events}),
        "visits": len(whole),
        "pageviews": len(events),
        "events": len(events),
        "bounce_rate": round(100 * sum(len(visit) == 1 for visit in whole) / len(whole), 1),
        "visit_duration": round(sum(seconds) / len(whole)),
        "views_per_visit": round(sum(len(visit) for visit in whole) / len(whole), 2),
    }


@pytest.mark.parametrize("period", ["year", "28d", "2026-11-23", "2026-07-04"])
def test_every_total_is_what_counting_again_gives(told: list[Item], period: str) -> None:
    found = count(told)["periods"][period]
    first, last = date.fromisoformat(found["from"]), date.fromisoformat(found["to"])
    assert found["total"] == figures(visits_of(told), first, last)


def test_every_day_is_what_counting_again_gives(told: list[Item]) -> None:
    visits = visits_of(told)
    days = {day: figures_of for day, figures_of in count(told)["days"].items() if figures_of["visits"]}
    assert len(days) > 350
    for day, found in list(days.items())[::15]:
        assert found == figures(visits, date.fromisoformat(day), date.fromisoformat(day))


def test_sources_and_countries_are_those_of_the_visits_first_event(told: list[Item]) -> None:
    visits = visits_of(told)
    year = count(told)["periods"]["year"]
    for source in ("Google", "newsletter"):
        of_source = [visit for visit in visits if visit[0][1].source == source]
        expected = figures(of_source, date.fromisoformat(year["from"]), date.fromisoformat(year["to"]))
        assert year["visit:source"][source] == expected
    for channel in ("Organic Search", "News", "Direct"):
        of_channel = [visit for visit in visits if visit[0][1].channel == channel]
        expected = figures(of_channel, date.fromisoformat(year["from"]), date.fromisoformat(year["to"]))
        assert year["visit:channel"][channel] == expected
    of_country = [visit for visit in visits if visit[0][2] == "ES"]
    expected = figures(of_country, date.fromisoformat(year["from"]), date.fromisoformat(year["to"]))
    assert year["visit:country"]["ES"] == expected


def test_a_page_is_reached_by_visits_and_described_by_those_that_began_on_it(told: list[Item]) -> None:
    visits = visits_of(told)
    found = count(told)["periods"]["year"]["event:page"]["/demo/"]
    reached = [visit for visit in visits if any(event.path == "/demo/" for _, event, _ in visit)]
    began = [visit for visit in reached if visit[0][1].path == "/demo/"]
    assert found["visits"] == len(reached)
    assert found["pageviews"] == sum(event.path == "/demo/" for visit in reached for _, event, _ in visit)
    assert found["views_per_visit"] == round(sum(len(visit) for visit in began) / len(began), 2)


def test_decisions_are_counted_by_the_local_day(told: list[Item]) -> None:
    consent = count(told)["consent"]
    acts = [item for item in told if isinstance(item, Decision)]
    assert consent["total"] == {
        "accepted": sum(item.act in (Act.ACCEPT, Act.RENEW) for item in acts),
        "refused": sum(item.act is Act.REFUSE for item in acts),
        "customised": 0,
        "withdrawn": sum(item.act is Act.WITHDRAW for item in acts),
    }
    day = "2026-07-04"
    of_day = [item for item in acts if item.at.astimezone(ZONE).date().isoformat() == day]
    assert consent["days"][day]["refused"] == sum(item.act is Act.REFUSE for item in of_day) > 0


def sitting(*minutes: float, names: tuple[str, ...] = (), is_erased: bool = False) -> Sitting:
    start = datetime(2026, 11, 23, 22, 40, tzinfo=UTC)  # twenty minutes before midnight in Paris
    events = tuple(
        Event(
            start + timedelta(minutes=minute),
            UUID(int=place),
            names[place] if names else "pageview",
            f"/demo/{place}",
            "",
            "",
            "" if place else "Google",
            "Direct" if place else "Organic Search",
        )
        for place, minute in enumerate(minutes)
    )
    return Sitting(1, 1, PROFILE, events, is_erased)


def test_a_visit_past_midnight_is_one_of_its_first_day_and_its_events_are_of_both() -> None:
    days = count([sitting(0, 10, 25)])["days"]
    assert (days["2026-11-23"]["visits"], days["2026-11-23"]["pageviews"]) == (1, 2)
    assert (days["2026-11-24"]["visits"], days["2026-11-24"]["pageviews"]) == (0, 1)
    assert days["2026-11-23"]["visit_duration"] == 1500


def test_half_an_hour_of_silence_begins_a_visit_that_came_from_nowhere() -> None:
    sources = count([sitting(0, 29.99, 59.99)])["periods"]["year"]["visit:source"]
    assert {name: (cell["visits"], cell["pageviews"]) for name, cell in sources.items()} == {
        "Google": (1, 2),
        "Direct / None": (1, 1),
    }


def test_engagement_is_counted_by_nothing_but_the_length_of_the_visit() -> None:
    total = count([sitting(0, 2, names=("pageview", "engagement"))])["periods"]["year"]["total"]
    assert (total["events"], total["bounce_rate"], total["visit_duration"]) == (1, 100.0, 120)
    total = count([sitting(0, 2, names=("pageview", "signup"))])["periods"]["year"]["total"]
    assert (total["events"], total["pageviews"], total["bounce_rate"]) == (2, 1, 0.0)


def test_what_is_erased_is_in_no_figure() -> None:
    document = count([sitting(0, 1, is_erased=True)])
    assert document["days"] == {}
    assert document["periods"]["year"]["total"]["events"] == 0
