"""Visit a page as a new visitor under given conditions and give what it cost, in milliseconds and bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Error, Page, sync_playwright

from bench.client.contenders import Contender
from tests.chromium import FLAGS, find_chromium

PROBE = (Path(__file__).parent / "probe.js").read_text(encoding="utf-8")
# How long a page is left alone before what it did is read, in milliseconds.
REST_MS = 500
LONG_TASK_MS = 50
# What Lighthouse calls a slow 4G line, applied to each request: 562.5 ms, 1.44 Mbit/s down, 0.675 Mbit/s up.
SLOW_LINE = {
    "offline": False,
    "latency": 562.5,
    "downloadThroughput": 1_440_000 / 8,
    "uploadThroughput": 675_000 / 8,
    "connectionType": "cellular4g",
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """Say how a page is visited; `is_watched` asks each frame for the button, which itself costs script time."""

    name: str
    width: int
    height: int
    cpu: int
    is_slow_line: bool
    is_watched: bool

    @property
    def is_mobile(self) -> bool:
        """Tell whether the window is a telephone's."""
        return self.width < 600


THROTTLED = Conditions("throttled", 412, 823, cpu=4, is_slow_line=True, is_watched=True)
FREE = Conditions("free", 1366, 768, cpu=1, is_slow_line=False, is_watched=True)
# As throttled, so that the page is painted before a banner comes: else its own first layout would count as script.
COST = Conditions("cost", 412, 823, cpu=4, is_slow_line=True, is_watched=False)


@contextmanager
def launch() -> Iterator[Browser]:
    """Run the browser that the browser tests use."""
    program = find_chromium()
    if program is None:
        raise SystemExit("no Chromium: install one, or set CONSENT_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def visit(browser: Browser, origin: str, contender: Contender, conditions: Conditions) -> dict[str, float]:
    """Open the contender's page with nothing kept from before, look, refuse, and give the measures by name."""
    context = browser.new_context(
        viewport={"width": conditions.width, "height": conditions.height},
        is_mobile=conditions.is_mobile,
        locale="fr-FR",
    )
    try:
        page = context.new_page()
        # A page of the same origin first: starting a process is the browser's cost, and not the banner's.
        page.goto(f"{origin}/blank/")
        page.add_init_script(_probe(contender, conditions))
        session = context.new_cdp_session(page)
        traffic = _Traffic(session, f"{origin}{contender.path}")
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        session.send("Emulation.setCPUThrottlingRate", {"rate": conditions.cpu})
        if conditions.is_slow_line:
            session.send("Network.emulateNetworkConditions", SLOW_LINE)
        before = _metrics(session)
        page.goto(f"{origin}{contender.path}", wait_until="commit" if conditions.is_watched else "networkidle")
        found = _look(page, session, contender, conditions, before)
        found |= traffic.sums()
        if contender.refuse:
            found["gone"] = _refuse(page)
        return found
    except Error as error:
        raise RuntimeError(f"{contender.name}, {conditions.name}: {error.message.splitlines()[0]}") from error
    finally:
        context.close()


def _probe(contender: Contender, conditions: Conditions) -> str:
    wanted = {"banner": list(contender.banner), "refuse": list(contender.refuse)}
    return f"(()=>{{const WANTED={json.dumps(wanted)},POLLS={json.dumps(conditions.is_watched)};{PROBE}}})()"


def _look(
    page: Page, session: CDPSession, contender: Contender, conditions: Conditions, before: dict[str, float]
) -> dict[str, float]:
    """Wait for the banner and for rest, then read what the page and the browser say."""
    found: dict[str, float] = {}
    if conditions.is_watched:
        if contender.refuse:
            found["clickable"] = float(page.evaluate("bench.clickable"))
        page.evaluate(f"bench.rested({REST_MS})")
    else:
        after = _metrics(session)
        found["script"] = 1000 * (after["ScriptDuration"] - before["ScriptDuration"])
        found["compile"] = 1000 * (after["V8CompileDuration"] - before["V8CompileDuration"])
        found["task"] = 1000 * (after["TaskDuration"] - before["TaskDuration"])
        session.send("HeapProfiler.collectGarbage")
        found["heap"] = _metrics(session)["JSHeapUsedSize"]
    seen = page.evaluate("bench.seen()")
    files = [script["duration"] for script in seen["scripts"] if not script["sourceURL"].endswith("/")]
    return found | {
        "shift": seen["shift"],
        "lcp": seen["largest"]["at"],
        "lcp_is_banner": float(seen["largest"]["isBanner"]),
        "long_tasks": float(len(seen["longTasks"])),
        "long_task_sum": float(sum(seen["longTasks"])),
        "longest_script": max(files, default=0.0),
    }


def _refuse(page: Page) -> float:
    """Click as a person does and give the milliseconds until the button is no longer there."""
    x, y = page.evaluate("bench.middle()")
    page.evaluate("bench.arm()")
    page.mouse.click(x, y)
    return float(page.evaluate("bench.gone"))


def _metrics(session: CDPSession) -> dict[str, float]:
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


class _Traffic:
    """Count what a page asks for beside itself, as it travels."""

    def __init__(self, session: CDPSession, page_url: str) -> None:
        self._page_url = page_url
        self._heads: dict[str, float] = {}
        self._bytes: dict[str, float] = {}
        session.on("Network.responseReceived", self._responded)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _responded(self, event: dict[str, Any]) -> None:
        response = event["response"]
        if response["url"].startswith("http") and response["url"] != self._page_url:
            self._heads[event["requestId"]] = response["encodedDataLength"]

    def _finished(self, event: dict[str, Any]) -> None:
        head = self._heads.get(event["requestId"])
        if head is not None:
            self._bytes[event["requestId"]] = event["encodedDataLength"] - head

    def sums(self) -> dict[str, float]:
        """Give the number of requests so far and the bytes of their bodies."""
        return {"requests": float(len(self._bytes)), "bytes": sum(self._bytes.values())}
