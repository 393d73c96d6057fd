"""Add up how long each step of the pipeline takes; cheap enough to be always on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_NANOSECONDS: Final = 1e9


@dataclass(frozen=True, slots=True)
class StepTime:
    """Hold how often a step ran in this process, and for how many seconds in all."""

    name: str
    count: int
    seconds: float


class StepTimes:
    """Hold the sums of one process, step by step, for whoever shows them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._lock = threading.Lock()
        self._counts = [0] * len(self._names)
        self._spent = [0] * len(self._names)

    def add(self, marks: Sequence[int]) -> None:
        """Add one event: when it began and when each of its steps ended, in nanoseconds of a steady clock.

        An event that is dropped ends with the step that dropped it.
        """
        with self._lock:
            for step in range(len(marks) - 1):
                self._counts[step] += 1
                self._spent[step] += marks[step + 1] - marks[step]

    def read(self) -> tuple[StepTime, ...]:
        """Give the sums of every step, in the order in which they run."""
        with self._lock:
            counted = zip(self._names, self._counts, self._spent, strict=True)
            return tuple(StepTime(name, count, spent / _NANOSECONDS) for name, count, spent in counted)
