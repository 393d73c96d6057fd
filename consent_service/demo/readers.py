"""Keep who comes back, how often and for how long (pure)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

from consent_service.demo.shares import Profile


@dataclass(slots=True)
class Habit:
    """Hold how many visits are still to come and how many days lie between two of them on average."""

    visits_left: int
    every_days: float

    def next_wait(self, random: Random) -> int | None:
        """Give the days until the next visit, at least one; None when there is none."""
        if self.visits_left <= 0:
            return None
        self.visits_left -= 1
        return max(1, math.ceil(random.expovariate(1 / self.every_days) - 0.4))


@dataclass(slots=True)
class Reader:
    """Hold one browser that agreed; `number` stays, `visitor` is new after a consent expired."""

    number: int
    visitor: int
    profile: Profile
    last_at: datetime
    expires_at: datetime
    habit: Habit
    sittings: int = 0
    is_leaving: bool = False


_ONCE: Final = 0.60
_SOMETIMES: Final = 0.27


def draw_habit(random: Random) -> Habit:
    """Draw a habit: most come once, some a few times in some weeks, a few nearly every day for months."""
    kind = random.random()
    if kind < _ONCE:
        return Habit(0, 1.0)
    if kind < _ONCE + _SOMETIMES:
        return Habit(random.randrange(1, 5), random.uniform(3.0, 24.0))
    return Habit(min(240, 4 + int(random.expovariate(1 / 34))), random.uniform(1.3, 9.0))
