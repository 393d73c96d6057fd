"""Let many threads read side by side, and let one shut them out for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Turns:
    """Count readers at work; who asks to be alone waits for them, and new ones wait for who is alone."""

    def __init__(self) -> None:
        self._change = Condition()
        self._sharing = 0
        self._is_alone = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Take part beside others; waits while someone is alone."""
        with self._change:
            self._change.wait_for(lambda: not self._is_alone)
            self._sharing += 1
        try:
            yield
        finally:
            with self._change:
                self._sharing -= 1
                self._change.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Shut the others out; waits until those at work are done."""
        with self._change:
            self._change.wait_for(lambda: not self._is_alone)
            self._is_alone = True
            self._change.wait_for(lambda: self._sharing == 0)
        try:
            yield
        finally:
            with self._change:
                self._is_alone = False
                self._change.notify_all()
