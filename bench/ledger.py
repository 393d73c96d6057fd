"""`python -m bench.ledger [cost] [latency] [proof]`: what the log costs, how soon it has a record, how it proves."""

from __future__ import annotations

import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Engine, make_url, select, text

from consent_service.consent.policy import parse_policy
from consent_service.consent.publication import Publication, load_publication
from consent_service.consent.publish import publish_policy
from consent_service.consent.record import record
from consent_service.db.engine import make_engine
from consent_service.db.ledger_tables import ledger_leaf
from consent_service.db.migrate import upgrade
from consent_service.db.writer import Writer
from consent_service.ids import new_id
from consent_service.ledger.guard import begin_log
from consent_service.ledger.integrator import Integrator, extend
from consent_service.ledger.keys import LedgerKeys
from consent_service.ledger.lookup import find_leaf, prove_leaf
from consent_service.ledger.standing import read_head
from consent_service.ledger.tree import verify_inclusion
from consent_service.ledger.verify import verify_log
from consent_service.serve.ledger_turns import LedgerTurns
from consent_service.sites.changes import add_site
from consent_service.sites.settings import parse_settings
from consent_service.times import utc_now
from tests.integration.ledger.merging import make_act
from tests.postgres import find_programs, make_cluster

EXAMPLES = Path(__file__).parent.parent / "examples"
SECONDS = float(os.environ.get("BENCH_SECONDS", "8"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
LEAVES = int(os.environ.get("BENCH_LEAVES", "1000000"))
PROCESSES, THREADS = 2, 4
RATE = 500
PROOFS = 10_000
# As it is installed: every commit is on disk before it is answered.
DURABLE = "-c listen_addresses=127.0.0.1 -c max_connections=60"


def main(parts: list[str]) -> None:
    """Run the named parts, or all, and print each figure."""
    known: dict[str, Callable[[str, Path], None]] = {"cost": cost, "latency": latency, "proof": proof}
    with postgresql() as url, tempfile.TemporaryDirectory(prefix="bench-ledger-") as name:
        for number, part in enumerate(parts or list(known)):
            directory = Path(name) / str(number)
            directory.mkdir()
            known[part](url, directory)


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL of this bench's own, with fsync."""
    programs = find_programs()
    if programs is None:
        raise SystemExit("install PostgreSQL first (Debian: apt install postgresql)")
    cluster = make_cluster(programs, DURABLE)
    try:
        cluster.create()
        yield cluster.start()
    finally:
        cluster.stop()


@contextmanager
def database(server: str, name: str) -> Iterator[tuple[str, Engine]]:
    """Make a database with the newest schema, a site and its policy."""
    admin = make_engine(server)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    engine = make_engine(url)
    upgrade(engine)
    settings = parse_settings((EXAMPLES / "site.toml").read_bytes(), format="toml")
    policy = parse_policy((EXAMPLES / "policy.toml").read_bytes(), format="toml")
    with engine.begin() as connection:
        site = add_site(connection, settings, actor="bench", now=utc_now())
        publish_policy(connection, site, policy, actor="bench", now=utc_now())
    try:
        yield url, engine
    finally:
        engine.dispose()


def publication_of(engine: Engine) -> Publication:
    """Read what the one site has published."""
    from consent_service.sites.registry import Sites

    with engine.connect() as connection:
        found = load_publication(connection, Sites(engine).all()[0])
    assert found is not None
    return found


def cost(server: str, directory: Path) -> None:
    """Compare how many decisions 8 writers commit with and without an integrator beside them."""
    shares: list[float] = []
    for number in range(ROUNDS):
        rates: dict[bool, float] = {}
        # The one that is second finds a warmer machine: they take turns.
        for is_logged in (False, True) if number % 2 == 0 else (True, False):
            with database(server, f"cost_{number}_{int(is_logged)}") as (url, engine), ExitStack() as stack:
                if is_logged:
                    own = directory / f"{number}"
                    own.mkdir()
                    begin_log(own, utc_now())
                    stack.enter_context(beside(integrate, url, own))
                rates[is_logged] = write_all(url)
                del engine
        shares.append(1 - rates[True] / rates[False])
        print(f"round {number + 1}: plain {rates[False]:.0f}/s, logged {rates[True]:.0f}/s, cost {shares[-1]:.0%}")
    print(f"log cost with 8 writers on PostgreSQL: {statistics.median(shares):.0%} (median of {ROUNDS}; limit 35 %)")


def latency(server: str, directory: Path) -> None:
    """Measure how long after its commit a decision is in a signed checkpoint, at a steady rate."""
    with database(server, "latency") as (_, engine):
        begin_log(directory, utc_now())
        integrator = Integrator(engine, Writer(engine), directory, utc_now)
        turns, sizes, is_over = LedgerTurns(integrator), list[tuple[float, int]](), threading.Event()

        def loop() -> None:
            while not is_over.is_set():
                if (done := turns.integrate()) is not None and done.added:
                    sizes.append((time.monotonic(), done.size))
                time.sleep(0.2)

        thread = threading.Thread(target=loop)
        thread.start()
        committed = write_steadily(engine, publication_of(engine))
        time.sleep(3)
        is_over.set()
        thread.join()
        with engine.connect() as connection:
            rows = connection.execute(select(ledger_leaf.c.entry_id, ledger_leaf.c.leaf_index)).all()
        index = {row.entry_id: row.leaf_index for row in rows}
        missing = [decision_id for decision_id in committed if decision_id not in index]
        waits = sorted(
            next(at for at, size in sizes if size > index[decision_id]) - committed_at
            for decision_id, committed_at in committed.items()
            if decision_id in index
        )
    p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    print(
        f"merged after the commit, {len(committed) / SECONDS:.0f} decisions/s: p50 {p50:.2f} s, p99 {p99:.2f} s, "
        f"max {waits[-1]:.2f} s, not merged {len(missing)} (limits: p99 2 s, max 60 s, 0)"
    )


def proof(server: str, directory: Path) -> None:
    """Measure proofs from a million leaves on both databases, verify ten thousand of them, and the whole log."""
    embedded = f"sqlite:///{directory / 'consent.sqlite'}"
    engine = make_engine(embedded)
    upgrade(engine)
    with database(server, "proof") as (_, remote):
        for name, each in (("SQLite", engine), ("PostgreSQL", remote)):
            keys = begin_log(_made(directory / name), utc_now())
            started = time.monotonic()
            ids = fill_log(each, keys)
            filled = time.monotonic() - started
            print(f"{name}: {len(ids)} leaves in {filled:.0f} s, {1e6 * filled / len(ids):.0f} µs a leaf")
            with each.connect() as connection:
                print(f"{name}: {prove(connection, ids)}")
                started = time.monotonic()
                found = verify_log(connection, keys, None)
                took = time.monotonic() - started
                print(f"{name}: all tiles and {found.checkpoints} signatures verified in {took:.0f} s")
    engine.dispose()


def fill_log(engine: Engine, keys: LedgerKeys) -> list[str]:
    """Give the ids of as many records as the bench wants, each with its leaf."""
    ids: list[str] = []
    while len(ids) < LEAVES:
        rows: list[Any] = [
            SimpleNamespace(entry_id=new_id(), salt=token_bytes(32), record=b"x" * 420) for _ in range(20_000)
        ]
        ids += [row.entry_id for row in rows]
        with engine.begin() as connection:
            extend(connection, read_head(connection), rows, keys, utc_now())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return ids


def prove(connection: Connection, ids: list[str]) -> str:
    """Prove records taken at random, verify each proof, and tell how long making them took."""
    chance, taken, good = random.Random(5), list[float](), 0
    for _ in range(PROOFS):
        entry_id = chance.choice(ids)
        started = time.perf_counter()
        leaf, head = find_leaf(connection, entry_id), read_head(connection)
        assert leaf is not None
        hashes = prove_leaf(connection, leaf, head.size)
        taken.append(1000 * (time.perf_counter() - started))
        good += verify_inclusion(leaf.leaf_index, head.size, leaf.leaf_hash, hashes, head.root)
    taken.sort()
    return (
        f"proof from {len(ids)} leaves: p50 {taken[PROOFS // 2]:.2f} ms, p99 {taken[int(PROOFS * 0.99)]:.2f} ms "
        f"(limit 2 ms); {good} of {PROOFS} random proofs verify"
    )


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def integrate(url: str, directory: Path, ends: Any) -> None:
    """Integrate as the keeper does, in a process of its own, until told to end."""
    engine = make_engine(url)
    turns = LedgerTurns(Integrator(engine, Writer(engine), directory, utc_now))
    while not ends.is_set():
        done = turns.integrate()
        if done is None or not done.has_more:
            time.sleep(0.2)
    engine.dispose()


@contextmanager
def beside(work: Callable[..., None], *arguments: Any) -> Iterator[None]:
    """Run something in another process meanwhile."""
    context = multiprocessing.get_context("spawn")
    ends = context.Event()
    process = context.Process(target=work, args=(*arguments, ends))
    process.start()
    time.sleep(2)
    try:
        yield
    finally:
        ends.set()
        process.join(30)


def write_all(url: str) -> float:
    """Let 8 writers commit single decisions as fast as they can; gives how many a second."""
    context = multiprocessing.get_context("spawn")
    counts = context.Queue()
    processes = [context.Process(target=write, args=(url, counts)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    rates = [float(counts.get(timeout=SECONDS + 60)) for _ in processes]
    for process in processes:
        process.join()
    return sum(rates)


def write(url: str, rates: Any) -> None:
    """Commit decisions from several threads for some seconds."""
    engine = make_engine(url)
    publication = publication_of(engine)
    done = [0] * THREADS
    begun, end = time.monotonic() + 1, time.monotonic() + 1 + SECONDS

    def loop(thread: int) -> None:
        while time.monotonic() < end:
            with engine.begin() as connection:
                record(connection, make_act(publication, datetime.now(UTC)), None)
            if time.monotonic() >= begun:
                done[thread] += 1

    threads = [threading.Thread(target=loop, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rates.put(sum(done) / (time.monotonic() - begun))


def write_steadily(engine: Engine, publication: Publication) -> dict[str, float]:
    """Commit decisions at the rate, each by itself; gives when each was committed."""
    committed: dict[str, float] = {}
    begun = time.monotonic()

    def loop(share: int) -> None:
        number = share
        while number < RATE * SECONDS:
            time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
            with engine.begin() as connection:
                done = record(connection, make_act(publication, datetime.now(UTC)), None)
            committed[done.decision_id] = time.monotonic()
            number += 4

    threads = [threading.Thread(target=loop, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return committed


if __name__ == "__main__":
    main(sys.argv[1:])
