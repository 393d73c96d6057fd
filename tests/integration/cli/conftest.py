"""Deployments made by `init`, one per module: starting the program is what takes the time."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.cli.program import Page, Program, Server

EXAMPLES = Path(__file__).parents[3] / "examples"


@dataclass(frozen=True)
class Deployment:
    """A data directory with the news site and its policy."""

    program: Program
    site: str
    origin: str


def make_deployment(directory: Path, **settings: str) -> Deployment:
    """Make a data directory by the commands a user runs."""
    program = Program(directory, **settings)
    program.json("init", "--admin", "admin@nouvelles.example")
    site = program.json("site", "add", "nouvelles.example", "--languages", "fr,en,es")
    program.json("policy", "publish", site["key"], str(EXAMPLES / "policy.toml"))
    return Deployment(program, site["key"], site["origins"][0])


@pytest.fixture(scope="module")
def module_dir() -> Iterator[Path]:
    """Give a directory that is not there yet."""
    with tempfile.TemporaryDirectory(prefix="consent-") as name:
        yield Path(name) / "data"


@pytest.fixture(scope="module")
def deployment(module_dir: Path) -> Deployment:
    """Give a deployment that the tests of one module share."""
    return make_deployment(module_dir)


@pytest.fixture
def copy(deployment: Deployment, tmp_path: Path) -> Program:
    """Give a copy of the deployment to spoil."""
    directory = tmp_path / "data"
    shutil.copytree(deployment.program.data_dir, directory)
    return Program(directory)


Serve = Callable[..., Server]
Visit = Callable[[Server], Page]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Give a function that starts a server, which ends with the test."""
    with ExitStack() as stack:

        def start(program: Program, *arguments: str, port: int | None = None, waits: bool = True) -> Server:
            server = Server(program, *arguments, port=port)
            stack.callback(server.close)
            if waits:
                server.wait_for_line()
            return server

        yield start


@pytest.fixture
def visit(deployment: Deployment) -> Iterator[Visit]:
    """Give a function that opens a page of the site whose tag leads to a server."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(Page(server.url, deployment.site, deployment.origin))
