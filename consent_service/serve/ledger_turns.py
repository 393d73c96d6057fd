"""Take the ledger's turns in the keeper's loop: not too often, and without holding up events when it refuses."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from consent_service.errors import Conflict
from consent_service.ledger.integrator import Integrated, Integrator
from consent_service.ledger.notes import NoteError
from consent_service.ledger.restoring import Accepted
from consent_service.ledger.standing import LedgerError
from consent_service.problems import ProblemsError

T = TypeVar("T")

log = logging.getLogger("consent_service")

INTEGRATE_SECONDS: Final = 0.5
RETRY_SECONDS: Final = 10.0


class LedgerTurns:
    """Hold the integrator with the time of its next turn; `problem` says why nothing is signed, if so."""

    def __init__(self, integrator: Integrator) -> None:
        self.integrator = integrator
        self.problem: str | None = None
        self._next_at = float("-inf")

    def integrate(self) -> Integrated | None:
        """Log what waits if it is time; a refusal is logged once and tried again later, as people mend it meanwhile."""
        if time.monotonic() < self._next_at:
            return None
        try:
            done = self.integrator.integrate()
        except (LedgerError, ProblemsError) as error:
            self._refuse(str(error))
            return None
        self.problem = None
        self._next_at = time.monotonic() + (0.0 if done.has_more else INTEGRATE_SECONDS)
        return done

    def sign_checkpoint(self, extensions: list[str]) -> str:
        """Log what waits and give the present checkpoint signed with extension lines; raises Conflict."""
        return self._asked(lambda: self.integrator.sign_head(extensions))

    def rotate(self) -> str:
        """Change the key; gives the new one as text; raises Conflict."""
        return self._asked(self.integrator.rotate)

    def accept_restore(self, reason: str) -> Accepted:
        """Go on from the database as it is, and sign again at once; raises Conflict when there is nothing to accept."""
        accepted = self._asked(lambda: self.integrator.accept_restore(reason))
        self._next_at = float("-inf")
        self.integrate()
        return accepted

    @staticmethod
    def _asked(work: Callable[[], T]) -> T:
        try:
            return work()
        except (LedgerError, ProblemsError, NoteError) as error:
            raise Conflict(str(error)) from error

    def _refuse(self, problem: str) -> None:
        if problem != self.problem:
            log.error("nothing is signed: %s", problem)
        self.problem = problem
        self.integrator.reload()
        self._next_at = time.monotonic() + RETRY_SECONDS
