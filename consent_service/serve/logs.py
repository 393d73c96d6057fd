"""Write logs that name nobody: no address, no query, no user agent, no body."""

from __future__ import annotations

import logging
import sys
import traceback
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

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Write a warning; of a malformed request only that there was one: gunicorn adds its address and text."""
        if str(msg).startswith("Invalid request"):
            super().warning("a request that is not HTTP was refused")
        else:
            super().warning(msg, *args, **kwargs)

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Write where a request failed, and how: neither gunicorn's message, which holds the URI, nor the error's."""
        kind, _, trace = sys.exc_info()
        name = "no error" if kind is None else kind.__name__
        super().error("a request failed outside the application: %s\n%s", name, "".join(traceback.format_tb(trace)))
