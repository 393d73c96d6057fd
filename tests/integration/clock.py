"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


class Clock:
    """Give a set time when called, as `now` does everywhere in the product."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        """Give the present time, aware UTC."""
        return self.moment

    def move(self, **amount: float) -> datetime:
        """Move by an amount in timedelta's words (`days=179`) and give the new time."""
        self.moment += timedelta(**amount)
        return self.moment

    def set(self, moment: datetime) -> datetime:
        """Stand at another time."""
        self.moment = moment.astimezone(UTC)
        return self.moment
