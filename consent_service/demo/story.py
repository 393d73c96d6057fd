"""Tell a year of a news site: who decided what, who read which page when. Deterministic for a seed (pure)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from consent_service.demo.pages import Article, load_articles
from consent_service.demo.readers import Reader, draw_habit
from consent_service.demo.reading import Page, Reading
from consent_service.demo.rhythm import (
    DAYS,
    day_weight,
    draw_time,
    elapsed_share,
    share_of_peak,
    split,
)
from consent_service.demo.shares import REFUSAL_RATES, Profile, draw_profile

ZONE: Final = ZoneInfo("Europe/Paris")
VALID: Final = timedelta(days=180)
# The newest event is a little older than the present, the last visit begins a little before that.
ENDS_BEFORE_NOW: Final = timedelta(minutes=4)
LEAVING_SHARE: Final = 0.03
COMES_BACK_AFTER_REFUSAL: Final = 0.12
MOST_RETURNING: Final = 0.62
# No visit is longer, so none begins where its consent could end before it does.
LONGEST_VISIT: Final = timedelta(hours=6)
SILENCE: Final = timedelta(minutes=30)


class Act(StrEnum):
    """Name what a reader does about consent; `renew` is a grant after the last one expired."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    RENEW = "renew"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Decision:
    """Hold one act; `reader` is None for a refusal, which nobody can be known by."""

    at: datetime
    act: Act
    reader: int | None
    profile: Profile


@dataclass(frozen=True, slots=True)
class Event:
    """Hold one event as the page would send it, and what a report must show of its way here when it begins a visit."""

    at: datetime
    event_id: UUID
    name: str
    path: str
    query: str
    referrer: str
    source: str
    channel: str


@dataclass(frozen=True, slots=True)
class Sitting:
    """Hold what a reader reads at one go; `visitor` changes when a consent expired, `reader` does not.

    `is_erased`: the reader withdraws later, so that nothing of this may be left at the end.
    """

    reader: int
    visitor: int
    profile: Profile
    events: tuple[Event, ...]
    is_erased: bool

    @property
    def at(self) -> datetime:
        """Give the time of the first event."""
        return self.events[0].at


Item = Decision | Sitting


def story(
    seed: int, events: int, now: datetime, *, zone: ZoneInfo = ZONE, articles: Sequence[Article] | None = None
) -> Iterator[Item]:
    """Tell the year that ends a few minutes before `now`: decisions and sittings, each reader's in order of time.

    Exactly `events` events belong to readers who did not withdraw; those of readers who did come on top.
    """
    if events > 0:
        yield from _Teller(seed, events, now, zone, load_articles() if articles is None else articles).tell()


class _Teller:
    def __init__(self, seed: int, events: int, now: datetime, zone: ZoneInfo, articles: Sequence[Article]) -> None:
        # Not for secrets: the same seed must tell the same story.
        self._random = Random(seed)  # noqa: S311
        self._events = events
        self._zone = zone
        self._end = now - ENDS_BEFORE_NOW
        self._today = self._end.astimezone(zone).date()
        self._reading = Reading(articles, self._random)
        self._readers = 0
        self._visitors = 0
        self._due: dict[int, deque[Reader]] = defaultdict(deque)
        self._leaving: dict[int, list[tuple[datetime, Reader]]] = defaultdict(list)
        self._undecided: dict[int, list[Profile]] = defaultdict(list)

    def tell(self) -> Iterator[Item]:
        for days_ago, share in zip(range(DAYS - 1, -1, -1), self._shares(), strict=True):
            yield from self._day(days_ago, share)

    def _shares(self) -> list[int]:
        weights = [day_weight(self._day_of(ago), ago, self._random) for ago in range(DAYS - 1, -1, -1)]
        weights[-1] *= max(elapsed_share(self._end.astimezone(self._zone)), 1e-6)
        return split(self._events, weights)

    def _day_of(self, days_ago: int) -> date:
        return self._today - timedelta(days=days_ago)

    def _day(self, days_ago: int, wanted: int) -> list[Item]:
        day, items = self._day_of(days_ago), list[Item]()
        self._reading.open(days_ago)
        sizes = self._sizes(wanted)
        starts = sorted(self._start(day) for _ in sizes)
        returning = self._returning(days_ago, int(len(sizes) * MOST_RETURNING))
        # Who comes back is spread over the day.
        is_return = [True] * len(returning) + [False] * (len(sizes) - len(returning))
        self._random.shuffle(is_return)
        newcomers = 0
        for at, size, comes_back in zip(starts, sizes, is_return, strict=True):
            reader = self._ready(returning, at) if comes_back else None
            if reader is None:
                reader = self._newcomer(items, at, days_ago)
                newcomers += 1
            self._sit(items, reader, at, size, days_ago)
            self._plan(reader, days_ago)
        for reader in returning:
            self._due[days_ago - 1].append(reader)
        self._leavers(items, day, days_ago, newcomers)
        self._withdrawals(items, days_ago)
        items.sort(key=lambda item: item.at)
        return items

    def _sizes(self, wanted: int) -> list[int]:
        sizes: list[int] = []
        while wanted > 0:
            sizes.append(min(wanted, self._reading.draw_length()))
            wanted -= sizes[-1]
        return sizes

    def _start(self, day: date) -> datetime:
        for _ in range(200):
            at = draw_time(day, self._zone, self._random)
            if at < self._end:
                return at
        # Just after midnight there is hardly a moment of today to draw.
        first = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return first + (self._end - first) * self._random.random()

    def _returning(self, days_ago: int, most: int) -> deque[Reader]:
        due = self._due.pop(days_ago, deque())
        while len(due) > most:
            self._due[days_ago - 1].append(due.pop())
        return due

    def _ready(self, returning: deque[Reader], at: datetime) -> Reader | None:
        for _ in range(len(returning)):
            reader = returning.popleft()
            is_too_near_the_end = reader.expires_at - LONGEST_VISIT <= at < reader.expires_at
            if reader.last_at + SILENCE < at and not is_too_near_the_end:
                return reader
            returning.append(reader)
        return None

    def _newcomer(self, items: list[Item], at: datetime, days_ago: int) -> Reader:
        """Let people come until one agrees; those who refuse leave nothing but their decision."""
        profile = self._arrival(days_ago)
        while self._random.random() < REFUSAL_RATES[profile.country]:
            refused_at = min(self._start(self._day_of(days_ago)), at)
            items.append(Decision(refused_at, Act.REFUSE, None, profile))
            if self._random.random() < COMES_BACK_AFTER_REFUSAL:
                # Asked again when the refusal has run out, not before.
                again = days_ago - VALID.days - self._random.randrange(1, 60)
                self._undecided[again].append(profile)
            profile = self._arrival(days_ago)
        self._readers += 1
        reader = Reader(self._readers, 0, profile, at, at + VALID, draw_habit(self._random))
        self._agree(items, reader, at, Act.ACCEPT)
        return reader

    def _arrival(self, days_ago: int) -> Profile:
        waiting = self._undecided.get(days_ago)
        return waiting.pop() if waiting else draw_profile(self._random)

    def _agree(self, items: list[Item], reader: Reader, at: datetime, act: Act) -> None:
        self._visitors += 1
        reader.visitor, reader.expires_at = self._visitors, at + VALID
        items.append(Decision(at, act, reader.number, reader.profile))

    def _sit(self, items: list[Item], reader: Reader, at: datetime, size: int, days_ago: int) -> None:
        if at >= reader.expires_at:
            self._agree(items, reader, at, Act.RENEW)
        # The page that asked is the first one counted, a moment after the answer.
        begins_at = at + timedelta(milliseconds=self._random.randrange(40, 900))
        is_return = reader.sittings > 0
        pages = self._reading.sit(reader.profile, begins_at, size, share_of_peak(days_ago), is_return=is_return)
        events = self._events_of(pages, begins_at)
        reader.sittings += 1
        reader.last_at = events[-1].at
        items.append(Sitting(reader.number, reader.visitor, reader.profile, events, reader.is_leaving))

    def _events_of(self, pages: list[Page], begins_at: datetime) -> tuple[Event, ...]:
        # What would lie in the future is moved before the end, in order: the visit goes on while this is told.
        last = max(pages[-1][0], begins_at)
        limit = max(self._end, begins_at)
        scale = 1.0 if last <= limit else (limit - begins_at) / (last - begins_at)
        return tuple(
            Event(begins_at + _milliseconds((at - begins_at) * scale, place), self._event_id(), "pageview", *rest)
            for place, (at, *rest) in enumerate(pages)
        )

    def _event_id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def _plan(self, reader: Reader, days_ago: int) -> None:
        wait = reader.habit.next_wait(self._random)
        if wait is not None and days_ago - wait >= 0:
            self._due[days_ago - wait].append(reader)

    def _leavers(self, items: list[Item], day: date, days_ago: int, newcomers: int) -> None:
        expected = newcomers * LEAVING_SHARE / (1 - LEAVING_SHARE)
        count = int(expected) + (self._random.random() < expected % 1)
        for _ in range(count):
            self._leaver(items, self._start(day), days_ago)

    def _leaver(self, items: list[Item], at: datetime, days_ago: int) -> None:
        wait = 0 if self._random.random() < 0.4 else self._random.randrange(1, 75)
        leaves_after = timedelta(days=wait, seconds=self._random.randrange(60, 900)) + LONGEST_VISIT * (wait > 0)
        if at + leaves_after >= self._end - timedelta(minutes=1):
            return
        reader = self._newcomer(items, at, days_ago)
        reader.is_leaving = True
        size = 1 if wait == 0 else self._reading.draw_length()
        self._sit(items, reader, at, size, days_ago)
        leaves_at = max(at + leaves_after, reader.last_at + timedelta(seconds=20))
        local = leaves_at.astimezone(self._zone).date()
        self._leaving[(self._today - local).days].append((leaves_at, reader))

    def _withdrawals(self, items: list[Item], days_ago: int) -> None:
        for leaves_at, reader in self._leaving.pop(days_ago, []):
            items.append(Decision(leaves_at, Act.WITHDRAW, reader.number, reader.profile))


def _milliseconds(length: timedelta, place: int) -> timedelta:
    # One more for each page, so that no two events of a visit share a time.
    return timedelta(milliseconds=length // timedelta(milliseconds=1) + place)
