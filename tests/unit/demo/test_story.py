"""The story is the same for a seed, believable in its shape, and never breaks the rules of consent."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from consent_service.demo.pages import load_articles
from consent_service.demo.rhythm import DAYS, PEAK_DAYS_AGO, split
from consent_service.demo.shares import REFUSAL_RATES
from consent_service.demo.story import VALID, ZONE, Act, Decision, Item, Sitting, story

NOW = datetime(2026, 11, 24, 17, 3, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def told() -> list[Item]:
    return list(story(5, 30_000, NOW))


def sittings(items: list[Item]) -> list[Sitting]:
    return [item for item in items if isinstance(item, Sitting)]


def decisions(items: list[Item], *acts: Act) -> list[Decision]:
    return [item for item in items if isinstance(item, Decision) and item.act in acts]


def test_the_same_seed_tells_the_same_story() -> None:
    assert list(story(3, 500, NOW)) == list(story(3, 500, NOW))
    assert list(story(3, 500, NOW)) != list(story(4, 500, NOW))


@pytest.mark.parametrize("events", [0, 1, 2, 40, 3_000])
def test_exactly_as_many_events_stay_as_were_asked_for(events: int) -> None:
    items = list(story(1, events, NOW))
    assert sum(len(item.events) for item in sittings(items) if not item.is_erased) == events


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 23, 23, 4, 30, tzinfo=UTC),  # half a minute of the local day is over
        datetime(2026, 11, 23, 23, 0, 5, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # the night that lacks an hour
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # the night that has one twice
    ],
)
def test_the_year_ends_a_few_minutes_ago_at_any_time_of_the_day(now: datetime) -> None:
    items = list(story(2, 4_000, now))
    times = [event.at for sitting in sittings(items) for event in sitting.events]
    assert len(times) >= 4_000
    assert max(times) < now - timedelta(minutes=3)
    assert max(times) > now - timedelta(days=1)
    assert now - timedelta(days=DAYS + 1) < min(times) < now - timedelta(days=DAYS - 3)
    assert all(decision.at < now - timedelta(minutes=3) for decision in decisions(items, *Act))


def test_no_event_precedes_its_consent_or_outlives_it(told: list[Item]) -> None:
    granted: dict[int, datetime] = {}
    left: set[int] = set()
    for item in told:
        match item:
            case Decision(act=Act.ACCEPT, reader=int(reader)):
                assert reader not in granted
                granted[reader] = item.at
            case Decision(act=Act.RENEW, reader=int(reader)):
                assert item.at >= granted[reader] + VALID
                granted[reader] = item.at
            case Decision(act=Act.WITHDRAW, reader=int(reader)):
                assert item.at > granted[reader]
                left.add(reader)
            case Sitting():
                assert item.reader not in left
                for event in item.events:
                    assert granted[item.reader] < event.at < granted[item.reader] + VALID


def test_the_events_of_a_visitor_come_in_the_order_of_time_and_each_has_its_own_id(told: list[Item]) -> None:
    last: dict[int, datetime] = {}
    ids = set()
    for sitting in sittings(told):
        for event in sitting.events:
            assert event.at > last.get(sitting.visitor, datetime.min.replace(tzinfo=UTC))
            last[sitting.visitor] = event.at
            ids.add(event.event_id)
    assert len(ids) == sum(len(sitting.events) for sitting in sittings(told))


def test_a_renewed_consent_has_a_new_visitor_and_a_refusal_has_nobody(told: list[Item]) -> None:
    visitors: dict[int, set[int]] = defaultdict(set)
    for sitting in sittings(told):
        visitors[sitting.reader].add(sitting.visitor)
    renewals = Counter(decision.reader for decision in decisions(told, Act.RENEW))
    assert renewals
    assert all(len(found) == 1 + renewals[reader] for reader, found in visitors.items())
    assert all(decision.reader is None for decision in decisions(told, Act.REFUSE))


def test_those_who_withdraw_are_marked_and_are_about_three_in_a_hundred(told: list[Item]) -> None:
    left = {decision.reader for decision in decisions(told, Act.WITHDRAW)}
    assert {sitting.reader for sitting in sittings(told) if sitting.is_erased} == left
    assert 0.02 < len(left) / len(decisions(told, Act.ACCEPT)) < 0.04


def test_weekdays_are_busier_than_the_weekend_and_evenings_than_nights(told: list[Item]) -> None:
    local = [sitting.at.astimezone(ZONE) for sitting in sittings(told)]
    by_weekday = Counter(at.weekday() for at in local)
    by_hour = Counter(at.hour for at in local)
    assert min(by_weekday[day] for day in range(5)) > 1.15 * max(by_weekday[5], by_weekday[6])
    assert by_hour[20] > 8 * by_hour[3]


def test_a_story_goes_round_and_the_paper_grows(told: list[Item]) -> None:
    by_day = Counter(
        (NOW.astimezone(ZONE).date() - sitting.at.astimezone(ZONE).date()).days for sitting in sittings(told)
    )
    week_before = sum(by_day[PEAK_DAYS_AGO + days] for days in range(1, 8)) / 7
    assert by_day[PEAK_DAYS_AGO] > 2 * week_before
    assert sum(by_day[ago] for ago in range(1, 57)) > 1.2 * sum(by_day[ago] for ago in range(300, 356))


def test_countries_refuse_at_their_own_rates(told: list[Item]) -> None:
    rates = {}
    for country in ("DE", "FR", "ES"):
        refused = sum(d.profile.country == country for d in decisions(told, Act.REFUSE))
        agreed = sum(d.profile.country == country for d in decisions(told, Act.ACCEPT))
        rates[country] = refused / (refused + agreed)
        assert rates[country] == pytest.approx(REFUSAL_RATES[country], abs=0.07)
    assert rates["DE"] > rates["FR"] > rates["ES"]


def test_readers_come_back_over_weeks_and_few_articles_have_most_of_the_readers(told: list[Item]) -> None:
    times: dict[int, list[datetime]] = defaultdict(list)
    pages: Counter[str] = Counter()
    for sitting in sittings(told):
        times[sitting.visitor].append(sitting.at)
        pages.update(event.path.rsplit("/", 1)[1] for event in sitting.events if "/articles/" in event.path)
    back = [seen for seen in times.values() if len(seen) > 1]
    assert 0.2 < len(back) / len(times) < 0.6
    assert sum(max(seen) - min(seen) > timedelta(days=14) for seen in back) > len(back) / 5
    assert set(pages) <= {article.slug for article in load_articles()}
    assert sum(count for _, count in pages.most_common(len(pages) // 5)) > sum(pages.values()) * 0.4


def test_a_number_is_split_without_loss() -> None:
    assert split(10, [1, 1, 1]) == [4, 3, 3]
    assert split(0, [1, 2]) == [0, 0]
    assert sum(split(999_983, [0.3, 1.7, 2.9, 0.0001])) == 999_983
