"""Let many threads read side by side, and let one shut them out for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Final

from consent_service.events.store import StoreBusy

PATIENCE_SECONDS: Final = 30.0


class Turns:
    """Count readers at work; who asks to be alone waits for them, and new ones are turned away meanwhile."""

    def __init__(self) -> None:
        self._change = Condition()
        self._sharing = 0
        self._is_alone = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Take part beside others; raises StoreBusy at once while someone is alone.

        Nobody waits here: being alone can last for minutes, and a web worker has few threads.
        """
        with self._change:
            if self._is_alone:
                raise StoreBusy("the event store is being rewritten; try again")
            self._sharing += 1
        try:
            yield
        finally:
            with self._change:
                self._sharing -= 1
                self._change.notify_all()

    @contextmanager
    def alone(self, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
        """Shut the others out; raises StoreBusy when those at work are not done within `patience` seconds."""
        with self._change:
            if self._is_alone:
                raise StoreBusy("the event store is being rewritten already")
            self._is_alone = True
            if not self._change.wait_for(lambda: self._sharing == 0, patience):
                self._is_alone = False
                raise StoreBusy(f"the event store is being read for longer than {patience:.0f} s; try again later")
        try:
            yield
        finally:
            with self._change:
                self._is_alone = False
