"""Run the production server: one keeper and the web workers, in one process group, started again when they die."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import IO

from consent_service.app import load_blueprints
from consent_service.config import Config
from consent_service.locks import KEEPER, SERVER, Locked, read_holder, take
from consent_service.serve import keeping, web
from consent_service.serve.socket import KeeperClient

log = logging.getLogger("consent_service")

LOOK_SECONDS = 0.05
WEB_DRAIN_SECONDS = 25
KEEPER_DRAIN_SECONDS = 30
# What a killed server leaves behind ends by itself within a second or two.
REMNANT_SECONDS = 5.0
# A child that dies again and again is started less often, but within the two seconds that are promised.
MAX_PAUSE_SECONDS = 1.5
STEADY_SECONDS = 10.0

_FORK = get_context("fork")


class CannotServe(Exception):
    """Tell in one line why the server does not start, and the mend."""


@dataclass
class Child:
    """Hold one child process and what it takes to start it again.

    `main` is called with the end of a pipe that closes when this process dies.
    """

    role: str
    main: Callable[[int], None]
    process: BaseProcess | None = None
    pipe: int | None = None
    started_at: float = 0.0
    pause: float = 0.0

    def start(self, not_for_child: Iterable[int]) -> None:
        """Fork the process; it lets go of the handles that are not for it."""
        if self.pipe is not None:
            os.close(self.pipe)
        reading, self.pipe = os.pipe()
        unwanted = [*not_for_child, self.pipe]
        self.started_at = time.monotonic()
        self.process = _FORK.Process(target=_run, args=(self.main, reading, unwanted), name=self.role)
        self.process.start()
        os.close(reading)

    def has_died(self) -> bool:
        """Tell whether the process is dead and its pause is over."""
        if self.process is None or self.process.is_alive():
            return False
        lived = time.monotonic() - self.started_at
        if lived >= STEADY_SECONDS:
            self.pause = 0.0
        if lived < self.pause:
            return False
        log.error("the %s process ended with status %s; it is started again", self.role, self.process.exitcode)
        self.pause = min(MAX_PAUSE_SECONDS, max(0.5, self.pause * 2)) if lived < STEADY_SECONDS else 0.0
        return True

    def end(self, seconds: float) -> None:
        """Let the process finish its work, and kill it when it does not in time."""
        if self.pipe is not None:
            os.close(self.pipe)
            self.pipe = None
        if self.process is None:
            return
        self.process.join(seconds)
        if self.process.exitcode is None:
            log.error("the %s process did not end in %s s and is killed", self.role, seconds)
            self.process.kill()
            self.process.join()


class Supervisor:
    """Run the children until SIGTERM or SIGINT, then let the workers finish and the keeper drain."""

    def __init__(self, config: Config, host: str, port: int) -> None:
        # Imported once, here, before anything is opened: a child that is forked works at once, where one that is
        # started anew would first spend seconds on importing.
        load_blueprints(config)
        self._config = config
        self._lock = _lock(config.data_dir)
        _wait_for_remnants(config)
        self._listener = _listen(host, port)
        # Commands print links that lead here.
        self._lock.write(f"{port}\n")
        self._lock.flush()
        self._keeper = Child("keeper", lambda pipe: keeping.main(config, pipe))
        self._web = Child("web", lambda pipe: web.main(config, self._listener.fileno(), pipe))
        self._is_ending = False

    def run(self, on_ready: Callable[[], None]) -> None:
        """Serve; `on_ready` is called once requests are answered."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        client = KeeperClient(self._config.socket_path)
        try:
            self._start(self._keeper)
            self._start(self._web)
            is_told = False
            while not self._is_ending:
                for child in (self._keeper, self._web):
                    if child.has_died():
                        self._start(child)
                if not is_told and self._has_worker() and client.is_ready():
                    is_told = True
                    on_ready()
                time.sleep(LOOK_SECONDS)
        finally:
            client.close()
            self._listener.close()
            self._end_web()
            self._keeper.end(KEEPER_DRAIN_SECONDS)
            self._lock.close()

    def _start(self, child: Child) -> None:
        pipes = [other.pipe for other in (self._keeper, self._web) if other is not child]
        not_for_child = [self._lock.fileno(), *(pipe for pipe in pipes if pipe is not None)]
        if child is self._keeper:
            not_for_child.append(self._listener.fileno())
        child.start(not_for_child)

    def _end_web(self) -> None:
        # Its pipe would tell it that this process died, and it would not wait for the requests under way.
        if self._web.process is not None and self._web.process.is_alive():
            self._web.process.terminate()
            self._web.process.join(WEB_DRAIN_SECONDS)
        self._web.end(1)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._is_ending = True

    def _has_worker(self) -> bool:
        # A worker takes its inbox once it has loaded the application.
        return any(read_holder(path) for path in self._config.inbox_dir.glob("inbox-*.lock"))


def _run(main: Callable[[int], None], pipe: int, unwanted: Iterable[int]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    for handle in unwanted:
        os.close(handle)
    main(pipe)


def _lock(directory: Path) -> IO[str]:
    try:
        return take(directory / SERVER)
    except Locked as error:
        raise CannotServe(
            f"another server (process {error.pid or 'unknown'}) serves {directory}; stop it or use another directory"
        ) from error
    except OSError as error:
        raise CannotServe(f"{directory} cannot be written: {error.strerror}; make it writable") from error


def _wait_for_remnants(config: Config) -> None:
    paths = [config.data_dir / KEEPER, *config.inbox_dir.glob("inbox-*.lock")]
    deadline = time.monotonic() + REMNANT_SECONDS
    while time.monotonic() < deadline and any(read_holder(path) for path in paths):
        time.sleep(LOOK_SECONDS)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise CannotServe(f"{host} is no address of this machine; choose another with --host") from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    mend = "free the port or choose another with --port"
    try:
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise CannotServe(f"cannot listen on {host} port {port}: {error.strerror}; {mend}") from error
    return listener
