"""Turn the runs into medians, hold them to the targets, and write both as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from bench.client.behaviour import Check
from bench.client.browser import COST, FREE, LONG_TASK_MS, THROTTLED
from bench.client.contenders import BARE, FLOOR, OURS, VANILLA, Contender

# By contender and conditions, what each visit gave.
Runs = Mapping[tuple[str, str], Sequence[Mapping[str, float]]]
# One frame: what a page's own figures cannot be told apart by.
FRAME_MS = 1000 / 60

FILES_MAX = 6_500
ALL_MAX = 10_000
TRACKER_MAX = 2_000
THROTTLED_MAX_OF_FLOOR = 1.06
THROTTLED_MAX_OF_VANILLA = 0.82
FREE_MAX_OF_FLOOR = 1.10
GONE_MAX_OF_FLOOR = 1.3
SCRIPT_MAX_MS = 20
HEAP_MAX = 120_000


@dataclass(frozen=True)
class Findings:
    """Hold the runs and what is known without a browser, all sizes in bytes of brotli."""

    runs: Runs
    contenders: Sequence[Contender]
    in_page: Mapping[str, int]
    on_demand: int
    tracker: Mapping[str, int]

    def values(self, name: str, measure: str, *conditions: str) -> list[float]:
        """Give a measure of every visit under some conditions."""
        return [visit[measure] for each in conditions for visit in self.runs[name, each]]

    def median(self, name: str, measure: str, *conditions: str) -> float:
        """Give the median of a measure."""
        return median(self.values(name, measure, *conditions))

    def over_bare(self, name: str, measure: str, conditions: str = COST.name) -> float:
        """Give how much more a contender takes than the page without any."""
        return self.median(name, measure, conditions) - self.median(BARE, measure, conditions)

    def gone(self, name: str) -> float:
        """Give the milliseconds from the click on Refuse to the end of the banner, from every visit at 4x."""
        return self.median(name, "gone", THROTTLED.name, COST.name)

    def lcp_noise(self, conditions: str) -> float:
        """Give the spread of the bare page's own largest paint: the middle half of its visits, one frame at least."""
        values = self.values(BARE, "lcp", conditions)
        first, _, third = quantiles(values, n=4, method="inclusive")
        return max(third - first, FRAME_MS)


def check_targets(found: Findings) -> Iterator[Check]:
    """Hold ours to every figure of the issue; what needs an absent peer is left out."""
    yield from _check_sizes(found)
    yield from _check_speed(found)
    yield from _check_page(found)


def _check_sizes(found: Findings) -> Iterator[Check]:
    files = found.median(OURS, "bytes", THROTTLED.name)
    requests = found.median(OURS, "requests", THROTTLED.name)
    yield _at_most("brotli of what a page loads", files, FILES_MAX, "B")
    yield Check("requests: 1", f"{requests:.0f}", requests == 1)
    yield _at_most("brotli of everything, preference centre too", files + found.on_demand, ALL_MAX, "B")
    yield _at_most("brotli of the tracker in it", found.tracker["core"], TRACKER_MAX, "B")


def _check_speed(found: Findings) -> Iterator[Check]:
    for conditions, limit in ((THROTTLED.name, THROTTLED_MAX_OF_FLOOR), (FREE.name, FREE_MAX_OF_FLOOR)):
        ratio = found.median(OURS, "clickable", conditions) / found.median(FLOOR, "clickable", conditions)
        yield _at_most(f"clickable, {conditions}", ratio, limit, "x floor")
    if (VANILLA, THROTTLED.name) in found.runs:
        vanilla = found.median(VANILLA, "clickable", THROTTLED.name)
        ratio = found.median(OURS, "clickable", THROTTLED.name) / vanilla
        yield _at_most("clickable, throttled", ratio, THROTTLED_MAX_OF_VANILLA, "x vanilla")
    yield _at_most("Refuse click to banner gone", found.gone(OURS) / found.gone(FLOOR), GONE_MAX_OF_FLOOR, "x floor")
    yield _at_most("script time at 4x", found.over_bare(OURS, "script"), SCRIPT_MAX_MS, "ms")
    longest = found.median(OURS, "longest_script", COST.name)
    shown = f"longest run of a script of ours {longest:.0f} ms"
    yield Check(f"no long task of ours (under {LONG_TASK_MS} ms)", shown, longest < LONG_TASK_MS)


def _check_page(found: Findings) -> Iterator[Check]:
    every = (THROTTLED.name, FREE.name, COST.name)
    shift = max(found.values(OURS, "shift", *every))
    yield Check("layout shift 0 in every visit", f"{shift:.4f}", shift == 0)
    times = sum(found.values(OURS, "lcp_is_banner", *every))
    yield Check("never the page's largest paint", f"{times:.0f} times", times == 0)
    for conditions in (THROTTLED.name, FREE.name):
        moved, noise = found.over_bare(OURS, "lcp", conditions), found.lcp_noise(conditions)
        asked = f"largest paint not later than noise, {conditions}"
        yield Check(asked, f"{moved:+.0f} ms, noise {noise:.0f} ms", moved <= noise)
    yield _at_most("heap over the bare page", found.over_bare(OURS, "heap"), HEAP_MAX, "B")


def _at_most(what: str, value: float, limit: float, unit: str) -> Check:
    shown = f"{value:.0f}" if limit > 10 else f"{value:.2f}"
    return Check(f"{what} ≤ {limit:g} {unit}", shown, value <= limit)


def write_comparison(found: Findings) -> str:
    """Write the medians of all contenders as a Markdown table."""
    lines = [
        "| | brotli B | requests | in the page B | clickable, throttled | clickable, free | Refuse to gone | script "
        "| longest script | shift | largest paint, throttled | heap kB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for contender in found.contenders:
        cells = _bare_cells(found) if contender.name == BARE else _cells(found, contender.name)
        lines.append(f"| {contender.name} {contender.version}".rstrip() + " | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_checks(checks: Sequence[Check]) -> str:
    """Write what was asked, found and reached as a Markdown table."""
    rows = [f"| {check.asked} | {check.found} | {'yes' if check.is_met else '**no**'} |" for check in checks]
    return "\n".join(["| asked of ours | found | reached |", "|---|---|---|", *rows])


def _bare_cells(found: Findings) -> list[str]:
    largest = f"{found.median(BARE, 'lcp', THROTTLED.name):.0f} ms"
    return ["0", "0", "0", "–", "–", "–", "–", "–", "0", largest, "–"]


def _cells(found: Findings, name: str) -> list[str]:
    is_largest = max(found.values(name, "lcp_is_banner", THROTTLED.name, FREE.name, COST.name)) > 0
    moved = f"{found.over_bare(name, 'lcp', THROTTLED.name):+.0f} ms"
    return [
        f"{found.median(name, 'bytes', THROTTLED.name):.0f}",
        f"{found.median(name, 'requests', THROTTLED.name):.0f}",
        f"{found.in_page[name]}",
        _timed(found, name, THROTTLED.name),
        _timed(found, name, FREE.name),
        f"{found.gone(name):.0f} ms ({found.gone(name) / found.gone(FLOOR):.2f} F)",
        f"{found.over_bare(name, 'script'):.0f} ms",
        f"{found.median(name, 'longest_script', COST.name):.0f} ms",
        f"{max(found.values(name, 'shift', THROTTLED.name, FREE.name, COST.name)):.3g}",
        moved + (", the banner" if is_largest else ""),
        f"{found.over_bare(name, 'heap') / 1000:.0f}",
    ]


def _timed(found: Findings, name: str, conditions: str) -> str:
    value = found.median(name, "clickable", conditions)
    ratios = [f"{value / found.median(FLOOR, 'clickable', conditions):.2f} F"]
    if (VANILLA, conditions) in found.runs:
        ratios.append(f"{value / found.median(VANILLA, 'clickable', conditions):.2f} V")
    return f"{value:.0f} ms ({', '.join(ratios)})"
