"""The program as a user runs it: processes of its own, a data directory, nothing shared but the file system."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
import httpx

import consent_service.app  # noqa: F401
from consent_service.cli import commands, main
from consent_service.locks import KEEPER, read_holder

# What a command loads is loaded here, once: forks have it then.
for _name in commands.list_commands(click.Context(commands)):
    commands.get_command(click.Context(commands), _name)

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "consent_service.cli")
DEADLINE = 60.0


def wait_until(is_true: Callable[[], bool], what: str, seconds: float = DEADLINE) -> float:
    """Look again and again until something holds; gives the seconds it took."""
    started = time.monotonic()
    while not is_true():
        assert time.monotonic() - started < seconds, f"after {seconds} s still not: {what}"
        time.sleep(0.01)
    return time.monotonic() - started


def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**settings: str) -> dict[str, str]:
    """Give this process's environment without any setting of the product but the named ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_SERVICE_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        **{f"CONSENT_SERVICE_{name}": value for name, value in settings.items()},
    }


def run_forked(arguments: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command line in a fork of this process: it has imported already what takes a new one seconds."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _become(arguments, environ, output.fileno(), errors.fileno())
        _, status = os.waitpid(pid, 0)
        output.seek(0)
        errors.seek(0)
        code = os.waitstatus_to_exitcode(status)
        return subprocess.CompletedProcess(arguments, code, output.read(), errors.read())


def _become(arguments: Sequence[str], environ: Mapping[str, str], output: int, errors: int) -> NoReturn:
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(errors, 2)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
        os.chdir("/")
        os.environ.clear()
        os.environ.update(environ)
        sys.argv = ["consent-service", *arguments]
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(DEADLINE))
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class Program:
    """Run commands on one data directory, away from the checkout."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.settings = settings

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end in a process of its own; the directory is given as the setting."""
        return run_forked(arguments, environment(DATA_DIR=str(self.data_dir), **{**self.settings, **settings}))

    def json(self, *arguments: str) -> Any:
        """Run a command with --json that must succeed; gives its one document, beside which nothing was printed."""
        done = self.run(*arguments, "--json")
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert done.stdout.count("\n") == 1
        return json.loads(done.stdout)

    def refused(self, *arguments: str, code: int = 1, **settings: str) -> list[str]:
        """Run a command that must be refused, without a traceback; gives the lines that say why."""
        done = self.run(*arguments, **settings)
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        assert done.stdout == ""
        lines = done.stderr.splitlines()
        assert lines
        assert all(line.startswith("consent-service: ") for line in lines), done.stderr
        return [line.removeprefix("consent-service: ") for line in lines]

    def holder(self, lock: str) -> int | None:
        """Give the process that holds a lock of the data directory."""
        return read_holder(self.data_dir / lock)


class Server:
    """One running `serve`."""

    def __init__(self, program: Program, *arguments: str, port: int | None = None) -> None:
        self.program = program
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--port", str(self.port), *arguments],
            env=environment(DATA_DIR=str(program.data_dir), **program.settings),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # As a shell with job control does: a group of its own, so that the test can look at the whole of it.
            process_group=0,
        )

    def wait_for_line(self) -> str:
        """Give the one line that says the server is ready; fails with what it said instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        if not line:
            assert self.process.stderr is not None
            raise AssertionError(self.process.stderr.read())
        return line

    def is_ready(self) -> bool:
        """Tell whether workers answer and the keeper answers them."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def workers(self) -> set[int]:
        """Give the numbers of the web workers."""
        locks = self.program.data_dir.glob("inbox/inbox-*.lock")
        return {pid for lock in locks if (pid := read_holder(lock)) is not None}

    def keeper(self) -> int | None:
        """Give the keeper's number."""
        return self.program.holder(KEEPER)

    def group(self) -> set[int]:
        """Give every living process of the server's group, itself included."""
        listed = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in listed.splitlines()]
        return {int(pid) for pid, group, state in rows if int(group) == self.process.pid and state[0] != "Z"}

    def stop(self) -> int:
        """Send SIGTERM and give the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)

    def close(self) -> None:
        """End the server whatever the test left of it."""
        if self.process.poll() is None:
            self.stop()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


class Page:
    """A page of the site in a browser that accepts."""

    def __init__(self, url: str, site: str, origin: str) -> None:
        self.client = httpx.Client(
            base_url=url,
            timeout=30,
            headers={
                "Origin": origin,
                "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/140.0.0.0 Safari/537.36",
            },
        )
        self.site = site
        self.origin = origin
        self.token = ""

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *failure: object) -> None:
        self.client.close()

    def accept(self) -> str:
        """Grant everything; gives the receipt's id."""
        config = self.client.get(f"/v1/sites/{self.site}/banner").json()
        body = {
            "site": self.site,
            "action": "accept_all",
            "purposes": {purpose["id"]: True for purpose in config["purposes"]},
            "policy_version": config["policy_version"],
            "banner_hash": config["banner_hash"],
            "language": config["language"],
        }
        answer = self.client.post("/v1/decisions", json=body)
        assert answer.status_code == 201, answer.text
        self.token = answer.json()["token"]
        receipt_id: str = answer.json()["receipt_id"]
        return receipt_id

    def view(self, event_id: str, path: str = "/") -> httpx.Response:
        """Send one pageview."""
        event = {"id": event_id, "name": "pageview", "url": f"{self.origin}{path}", "age_ms": 0}
        return self.client.post("/v1/events", json={"site": self.site, "token": self.token, "events": [event]})
