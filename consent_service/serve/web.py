"""Run the web workers under gunicorn, on a socket that the supervisor opened."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from gunicorn.app.base import BaseApplication

from consent_service.app import create_app
from consent_service.browser.limits import ReceiptQuota
from consent_service.config import Config
from consent_service.services import EXTENSION

THREADS = 8
GRACEFUL_SECONDS = 20
ORPHAN_SECONDS = 1.0


class WebServer(BaseApplication):
    """Serve the application with as many workers as the settings say; a dead one is replaced at once."""

    def __init__(self, config: Config, handle: int, pipe: int) -> None:
        self._config = config
        self._handle = handle
        self._pipe = pipe
        # Made before the workers are forked, so that all of them count in it.
        self._quota = ReceiptQuota()
        super().__init__()

    def load_config(self) -> None:
        """Set what gunicorn needs; no access log, for it would hold addresses."""
        settings: dict[str, Any] = {
            "bind": f"fd://{self._handle}",
            "workers": self._config.workers,
            "worker_class": "consent_service.serve.worker.Worker",
            "threads": THREADS,
            "timeout": 60,
            "graceful_timeout": GRACEFUL_SECONDS,
            "keepalive": 5,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "logger_class": "consent_service.serve.logs.QuietLogger",
            "proc_name": "consent-service",
            "control_socket_disable": True,
            # Whom to believe is decided in one place, browser/proxies.py.
            "forwarded_allow_ips": "",
            "when_ready": self._watch_parent,
            "post_worker_init": _leave_interrupts_to_the_parent,
            "worker_exit": _close_inbox,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the application, in the worker that will run it: nothing is opened before the fork."""
        return create_app(self._config, quota=self._quota)

    def _watch_parent(self, arbiter: Any) -> None:
        _leave_interrupts_to_the_parent(arbiter)

        def end() -> None:
            # The supervisor holds the other end; its death closes it. Nobody waits for the answers any more, and a
            # new server wants the port: what is under way has a second.
            os.read(self._pipe, 1)
            os.kill(arbiter.pid, signal.SIGTERM)
            time.sleep(ORPHAN_SECONDS)
            os.kill(arbiter.pid, signal.SIGQUIT)

        threading.Thread(target=end, name="parent-watch", daemon=True).start()


def main(config: Config, handle: int, pipe: int) -> None:
    """Serve until SIGTERM, or until `pipe` closes because the supervisor is gone."""
    WebServer(config, handle, pipe).run()


def _leave_interrupts_to_the_parent(process: Any) -> None:
    # Ctrl+C reaches the whole process group; the supervisor then ends the workers in order, after their requests.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _close_inbox(arbiter: Any, worker: Any) -> None:
    app = getattr(worker, "wsgi", None)
    if app is not None:
        app.extensions[EXTENSION].inbox.close()
        app.extensions[EXTENSION].writer.close()
