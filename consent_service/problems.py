"""Hold what is wrong with a file or a set of settings: every problem at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Say what is wrong at one place.

    `place` is a dotted key path such as `purposes[0].title.fr`, empty for the whole; `line` counts from 1
    and is None where there is no text.
    """

    place: str
    line: int | None
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        return f"{where}{self.place}: {self.message}" if self.place else f"{where}{self.message}"

    def document(self) -> dict[str, object]:
        """Give the problem as JSON-able members."""
        return {"place": self.place, "line": self.line, "message": self.message}


class ProblemsError(Exception):
    """Refuse something and carry every problem found in it; as text, one line a problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
