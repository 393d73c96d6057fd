"""Run the production server: one keeper and the web workers, in one process group, started again when they die."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from consent_service.config import Config
from consent_service.locks import SERVER, Locked, read_holder, take

log = logging.getLogger("consent_service")

LOOK_SECONDS = 0.1
WEB_DRAIN_SECONDS = 25
KEEPER_DRAIN_SECONDS = 30
# A child that dies again and again is started less and less often, but never given up.
MAX_PAUSE_SECONDS = 5.0
STEADY_SECONDS = 10.0


class CannotServe(Exception):
    """Tell in one line why the server does not start, and the mend."""


@dataclass
class Child:
    """Hold one child process and what it takes to start it again."""

    role: str
    command: list[str]
    handles: tuple[int, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = 0.0

    def start(self) -> None:
        """Start the process; its stdin is a pipe that closes when this process dies."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
            self.command,
            stdin=subprocess.PIPE,
            pass_fds=self.handles,
            env={**os.environ, **self.environment},
        )

    def look(self) -> None:
        """Start the process again when it is dead and its pause is over."""
        if self.process is None or self.process.poll() is None:
            return
        lived = time.monotonic() - self.started_at
        if lived >= STEADY_SECONDS:
            self.pause = 0.0
        if lived < self.pause:
            return
        log.error("the %s process ended with status %s; it is started again", self.role, self.process.returncode)
        self.pause = min(MAX_PAUSE_SECONDS, max(0.5, self.pause * 2)) if lived < STEADY_SECONDS else 0.0
        self.start()

    def end(self, seconds: float) -> None:
        """Ask the process to finish its work, and end it when it does not in time."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            log.error("the %s process did not end in %s s and is killed", self.role, seconds)
            self.process.kill()
            self.process.wait()


class Supervisor:
    """Run the children until SIGTERM or SIGINT, then let the workers finish and the keeper drain."""

    def __init__(self, config: Config, host: str, port: int, settings: dict[str, str]) -> None:
        self._config = config
        self._lock = _lock(config.data_dir)
        self._listener = _listen(host, port)
        handle = self._listener.fileno()
        command = [sys.executable, "-m", "consent_service.serve.child"]
        self._keeper = Child("keeper", [*command, "keeper"], environment=settings)
        self._web = Child("web", [*command, "web", str(handle)], (handle,), settings)
        self._is_ending = False

    def run(self, on_ready: Callable[[], None]) -> None:
        """Serve; `on_ready` is called once requests are answered."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        try:
            self._keeper.start()
            self._web.start()
            is_told = False
            while not self._is_ending:
                self._keeper.look()
                self._web.look()
                if not is_told and self._is_answering():
                    is_told = True
                    on_ready()
                time.sleep(LOOK_SECONDS)
        finally:
            self._listener.close()
            self._web.end(WEB_DRAIN_SECONDS)
            self._keeper.end(KEEPER_DRAIN_SECONDS)
            self._lock.close()

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._is_ending = True

    def _is_answering(self) -> bool:
        # A worker takes its inbox once it has loaded the application.
        workers = self._config.inbox_dir.glob("inbox-*.lock")
        return self._config.socket_path.exists() and any(read_holder(path) for path in workers)


def _lock(directory: Path) -> IO[str]:
    try:
        # A server that was killed a moment ago lets go within a second or so.
        return take(directory / SERVER, wait_seconds=2)
    except Locked as error:
        raise CannotServe(
            f"another server (process {error.pid or 'unknown'}) serves {directory}; stop it or use another directory"
        ) from error
    except OSError as error:
        raise CannotServe(f"{directory} cannot be written: {error.strerror}; make it writable") from error


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline = time.monotonic() + 2
    while True:
        try:
            listener.bind((host, port))
            listener.listen(1024)
        except OSError as error:
            if time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS)
                continue
            listener.close()
            raise CannotServe(
                f"cannot listen on {host} port {port}: {error.strerror}; free the port or choose another with --port"
            ) from error
        return listener
