"""Try what cannot be timed: how many clicks each choice takes with ours, and whether its two buttons are equal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Error, Page

PURPOSE = "analytics"
SIZES = ((320, 640), (412, 823), (1366, 768))
# WCAG 1.4.6, which the issue asks of the built-in themes.
MIN_CONTRAST = 7.0
DEADLINE_MS = 20_000
STYLE = """button => {
  const { width, height } = button.getBoundingClientRect();
  const style = getComputedStyle(button);
  const names = ["fontFamily", "fontSize", "fontWeight", "fontStyle", "letterSpacing", "textTransform", "color",
    "textDecorationLine", "backgroundColor", "backgroundImage", "border", "borderRadius", "boxShadow", "opacity",
    "padding"];
  return { width, height, ...Object.fromEntries(names.map((name) => [name, style[name]])) };
}"""


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one thing that was tried: what was asked, what was found."""

    asked: str
    found: str
    is_met: bool


def try_ours(browser: Browser, url: str) -> list[Check]:
    """Try ours on its page, each time as a new visitor."""
    return [
        *(check for size in SIZES for check in _compare_buttons(browser, url, *size)),
        _count("1 click to refuse", browser, url, ["refuse"], "consent.decided() && !consent.granted(PURPOSE)"),
        _count("1 click to accept", browser, url, ["accept"], "consent.granted(PURPOSE)"),
        _count_withdrawal(browser, url),
    ]


def contrast(style: dict[str, Any]) -> float:
    """Give the contrast of an element's text on its own background (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(style["color"]), _luminance(style["backgroundColor"])), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    numbers = [float(number) for number in re.findall(r"[\d.]+", color)]
    if not color.startswith("rgb") or numbers[3:] not in ([], [1.0]):
        raise ValueError(f"{color} is not an opaque rgb colour")
    shares = [number / 255 for number in numbers[:3]]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _compare_buttons(browser: Browser, url: str, width: int, height: int) -> Iterator[Check]:
    with _visitor(browser, url, width, height) as page:
        refuse, accept = (_button(page, name).evaluate(STYLE) for name in ("refuse", "accept"))
    unequal = [f"{name} {refuse[name]} / {accept[name]}" for name in refuse if refuse[name] != accept[name]]
    where = f"at {width} x {height}"
    yield Check(
        f"both buttons equal {where}", "; ".join(unequal) or "size, font, weight and colours equal", not unequal
    )
    ratio = min(contrast(refuse), contrast(accept))
    yield Check(f"contrast of both ≥ {MIN_CONTRAST:.0f} {where}", f"{ratio:.1f}", ratio >= MIN_CONTRAST)


def _count(asked: str, browser: Browser, url: str, clicks: list[str], outcome: str) -> Check:
    with _visitor(browser, url, 412, 823) as page:
        return _check(asked, page, clicks, outcome)


def _count_withdrawal(browser: Browser, url: str) -> Check:
    with _visitor(browser, url, 412, 823) as page:
        granted = _check("accept", page, ["accept"], "consent.granted(PURPOSE)")
        if not granted.is_met:
            return Check("1 + 1 clicks to withdraw", f"nothing to withdraw: {granted.found}", False)
        return _check("1 + 1 clicks to withdraw", page, ["open", "refuse"], "!consent.granted(PURPOSE)")


def _check(asked: str, page: Page, clicks: list[str], outcome: str) -> Check:
    """Click once on each and wait for the outcome, for the banner's end, and for the service's answer."""
    try:
        with page.expect_response(lambda answer: "/v1/decisions" in answer.url, timeout=DEADLINE_MS) as sent:
            for name in clicks:
                _button(page, name).click()
            page.wait_for_function(outcome.replace("PURPOSE", repr(PURPOSE)))
            _button(page, "refuse").wait_for(state="detached")
        status = sent.value.status
    except Error as error:
        return Check(asked, f"not reached: {error.message.splitlines()[0]}", False)
    return Check(asked, f"{' + '.join('1' for _ in clicks)}, answered {status}", status in (200, 201))


def _button(page: Page, action: str) -> Any:
    return page.locator(f"consent-banner [data-action={action}]")


@contextmanager
def _visitor(browser: Browser, url: str, width: int, height: int) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": height}, locale="fr-FR")
    context.set_default_timeout(DEADLINE_MS)
    try:
        page = context.new_page()
        page.goto(url)
        _button(page, "refuse").wait_for()
        yield page
    finally:
        context.close()
