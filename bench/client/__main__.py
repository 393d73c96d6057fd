"""`python -m bench.client`: measure the client beside its peers; fails when a target of ours is missed."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser

from bench.__main__ import free_port
from bench.client.behaviour import Check, try_ours
from bench.client.browser import COST, FREE, THROTTLED, launch, visit
from bench.client.contenders import BARE, OUR_CLIENT, PEERS, VANILLA, Contender, choose, fetch_peers, files_of
from bench.client.ours import BASE, service, tracker_sizes
from bench.client.report import Findings, check_targets, write_checks, write_comparison
from bench.client.server import hold, serve

README = Path(__file__).parent / "README.md"
START, END = "<!-- measured -->\n", "<!-- end of measured -->\n"
QUICK_RUNS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print both tables, and give 0 when everything asked is reached, else 1."""
    options = _parse(arguments)
    if not options.quick:
        fetch_peers()
    found, checks, browser = _measure(choose(options.quick, options.peers), options.runs)
    checks = [*check_targets(found), *checks]
    text = f"{_setting(options.runs, browser)}\n\n{write_comparison(found)}\n\n{write_checks(checks)}\n"
    print(text)
    if options.write:
        _write(text)
    missed = [check.asked for check in checks if not check.is_met]
    if missed:
        print(f"missed: {'; '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.client", description=__doc__)
    parser.add_argument("--runs", type=int, help="visits of each page under each condition (15; with --quick 3)")
    parser.add_argument("--quick", action="store_true", help="only ours, the floor and the bare page")
    parser.add_argument("--peers", help="only these peers, by comma: for a machine that is quiet for minutes")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/client/README.md")
    options = parser.parse_args(arguments)
    options.runs = options.runs or (QUICK_RUNS if options.quick else 15)
    if options.runs < 2:
        parser.error("--runs must be 2 or more: one visit has no spread")
    options.peers = options.peers.split(",") if options.peers else None
    if unknown := set(options.peers or ()) - {peer.name for peer in PEERS}:
        parser.error(
            f"--peers: {', '.join(sorted(unknown))} is none; there are {', '.join(peer.name for peer in PEERS)}"
        )
    if options.write and (options.quick or (options.peers and VANILLA not in options.peers)):
        parser.error(f"--write needs {VANILLA}, which targets are asked against")
    return options


def _measure(contenders: Sequence[Contender], runs: int) -> tuple[Findings, list[Check], str]:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with service(origin) as ours:
        files = files_of(contenders, ours.snippet)
        # From the page's own server like the files of all others, as from a proxy that keeps what may be kept.
        files |= {BASE + path: hold(BASE + path, ours.fetch(path)) for path in ours.scripts}
        on_demand = ours.travelled("/consent.more.js")
        with serve(port, files, {BASE: ours.port}), launch() as browser:
            visits = _visit_all(browser, origin, contenders, runs)
            checks = try_ours(browser, origin + OUR_CLIENT.path)
            version = browser.version
    bare = files[f"/{BARE.replace(' ', '-')}/"].brotli_bytes
    in_page = {contender.name: files[contender.path].brotli_bytes - bare for contender in contenders}
    return Findings(visits, contenders, in_page, on_demand, tracker_sizes()), checks, version


def _visit_all(
    browser: Browser, origin: str, contenders: Sequence[Contender], runs: int
) -> dict[tuple[str, str], list[dict[str, float]]]:
    """Visit every page under every condition, in turn, each round starting with another contender."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for number in range(runs):
        start = number % len(contenders)
        for conditions in (THROTTLED, FREE, COST):
            for contender in [*contenders[start:], *contenders[:start]]:
                measures = visit(browser, origin, contender, conditions)
                found.setdefault((contender.name, conditions.name), []).append(measures)
        print(f"round {number + 1} of {runs}, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    return found


def _setting(runs: int, browser: str) -> str:
    """Say under what the figures were taken: without it they mean nothing."""
    return (
        f"Medians of {runs} visits each, interleaved; Chromium {browser}, {os.cpu_count()} CPUs, load average at the "
        f"end {os.getloadavg()[1]:.1f}. F: times the floor, V: times vanilla-cookieconsent."
    )


def _write(text: str) -> None:
    before, start, rest = README.read_text(encoding="utf-8").partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise SystemExit(f"{README} has lost its marks {START.strip()} and {END.strip()}")
    README.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    raise SystemExit(main())
