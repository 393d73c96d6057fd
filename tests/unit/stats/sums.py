"""What follows from sums by adding and subtracting, by elimination."""

from __future__ import annotations

from typing import Final

PRIME: Final = 2**61 - 1

# A sum of atoms, each by its number and how often it is in it.
Vector = dict[int, int]


class Span:
    """Hold everything that follows from some sums by adding and subtracting, as an echelon form over a prime."""

    def __init__(self) -> None:
        self.rows: dict[int, Vector] = {}

    def holds(self, vector: Vector) -> bool:
        """Tell whether a sum follows."""
        return not self._rest(vector)

    def add(self, vector: Vector) -> None:
        """Learn one more sum."""
        left = self._rest(vector)
        if left:
            pivot = min(left)
            inverse = pow(left[pivot], -1, PRIME)
            self.rows[pivot] = {at: value * inverse % PRIME for at, value in left.items()}

    def _rest(self, vector: Vector) -> Vector:
        left = dict(vector)
        for pivot in sorted(self.rows):
            factor = left.get(pivot, 0)
            if factor:
                for at, value in self.rows[pivot].items():
                    left[at] = (left.get(at, 0) - factor * value) % PRIME
        return {at: value for at, value in left.items() if value}
