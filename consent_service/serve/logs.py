"""Write logs that name nobody: no address, no query, no user agent, no body."""

from __future__ import annotations

import logging
import sys
from typing import Any

from gunicorn.glogging import Logger

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up(level: str) -> None:
    """Send the product's log lines to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel("WARNING")
    logging.getLogger("consent_service").setLevel(level.upper())


class QuietLogger(Logger):
    """Keep gunicorn's own lines, without what they would tell of a request."""

    def access(self, *args: Any, **kwargs: Any) -> None:
        """Write no access log."""

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Write an error of a request without its address: gunicorn's message holds the URI."""
        super().error("a request failed outside the application", exc_info=True)
