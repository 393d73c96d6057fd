"""Take pictures of a site's banner with the system's Chromium: the real client on a page without words of its own.

Nothing is served and nothing leaves the machine but a request for the site's own logo: every file the page asks for is
handed to the browser as the service would send it, so a running server sees none of this.
"""

from __future__ import annotations

import html
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from consent_service.cli.output import Refused
from consent_service.consent.assets import JAVASCRIPT, bundle, script_of
from consent_service.consent.publication import Publication
from consent_service.consent.screenshots import Shot, Surface
from consent_service.consent.scripts import read_static

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
APPS: Final = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
FLAGS: Final = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Fonts are smoothed by the machine's settings otherwise, and two runs may differ.
    "--font-render-hinting=none",
    "--disable-lcd-text",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)
WINDOWS: Final = ((1366, 768, False), (412, 823, True))
_MILLISECONDS: Final = 15_000
_BARS: Final = "".join(f'<i style="width:{width}%"></i>' for width in (92, 97, 88, 95, 64, 90, 96, 71) * 4)
_PAGE: Final = (
    '<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8"><title>Page</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<style>body{{margin:0;padding:6vmin;background:#fff}}i{{display:block;height:12px;margin:0 0 16px;"
    'background:#e6e8eb}}</style><script defer src="/c/{key}.js" data-lang="{language}"></script></head>'
    "<body><main>{bars}</main></body></html>"
)


@dataclass(slots=True)
class Roll:
    """Hold the pictures taken, by which browser, and which files of the site's banner could not be had."""

    browser: str
    shots: list[Shot] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def find_chromium(chosen: Path | None) -> str:
    """Give the path of the chosen Chromium, or of the first one installed; raises Refused."""
    if chosen is not None:
        if (path := shutil.which(chosen)) is None:
            raise Refused(f"{chosen}: there is no program that can be run; give the path of Chromium with --chromium")
        return path
    installed = (shutil.which(name) for name in NAMES)
    apps = (str(app) for app in APPS if app.exists())
    if (found := next((path for path in (*installed, *apps) if path), None)) is None:
        raise Refused("no Chromium is installed; install one, or give its path with --chromium PATH")
    return found


def take_pictures(publication: Publication, chromium: str, tell: Callable[[str], None]) -> Roll:
    """Take a picture of each present banner, in each language and window, first layer and preference centre.

    `tell` hears of each language that is begun. Raises Refused.
    """
    if not publication.current.policy.purposes:
        raise Refused(f"the policy of {publication.site.key} asks for nothing, so no banner is shown")
    with _browser(chromium) as browser:
        roll = Roll(f"Chromium {browser.version}")
        body = bundle(publication)
        for language, config in publication.banners.items():
            tell(language)
            for width, height, is_mobile in WINDOWS:
                _visit(browser, publication, config, body, (width, height, is_mobile), roll)
    return roll


@contextmanager
def _browser(chromium: str) -> Iterator[Browser]:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise Refused("pictures need playwright; run: pip install 'consent-service[screenshots]'") from error
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        except Error as error:
            line = error.message.strip().splitlines()[0]
            raise Refused(f"{chromium} does not start ({line}); give another Chromium with --chromium PATH") from error
        try:
            yield browser
        except Error as error:
            line = error.message.strip().splitlines()[0]
            raise Refused(f"{chromium} did not show the banner ({line}); try a recent Chromium") from error
        finally:
            browser.close()


def _visit(
    browser: Browser,
    publication: Publication,
    config: dict[str, Any],
    body: bytes,
    window: tuple[int, int, bool],
    roll: Roll,
) -> None:
    width, height, is_mobile = window
    context = browser.new_context(
        viewport={"width": width, "height": height},
        is_mobile=is_mobile,
        has_touch=is_mobile,
        locale=config["language"],
        timezone_id="UTC",
        color_scheme="light",
        reduced_motion="reduce",
        service_workers="block",
    )
    try:
        page = context.new_page()
        page.set_default_timeout(_MILLISECONDS)
        page.route("**/*", _files(publication, config, body, roll))
        page.goto(f"{publication.site.origins[0]}/")
        script = script_of(publication).script_hash

        def snap(surface: Surface) -> None:
            shot = Shot(config["banner_hash"], config["language"], surface, width, height, script, _picture(page))
            roll.shots.append(shot)

        page.locator('[data-action="accept"]').wait_for()
        snap(Surface.BANNER)
        if len(config["purposes"]) > 1:
            page.locator('[data-action="customize"]').click()
            page.locator('[data-action="save"]').wait_for()
            snap(Surface.PREFERENCES)
    finally:
        context.close()


def _picture(page: Page) -> bytes:
    page.evaluate(
        "document.fonts.ready.then(() => new Promise("
        "  (done) => requestAnimationFrame(() => requestAnimationFrame(done))))"
    )
    return page.screenshot(animations="disabled", caret="hide", scale="css")


def _files(publication: Publication, config: dict[str, Any], body: bytes, roll: Roll) -> Callable[[Route], None]:
    """Answer what the page asks for as the service would; let the logo through and refuse everything else."""
    site, language = publication.site, config["language"]
    html_page = _PAGE.format(language=html.escape(language), direction=config["dir"], key=site.key, bars=_BARS)
    home = site.origins[0]
    answers = {
        f"{home}/": ("text/html; charset=utf-8", html_page.encode()),
        f"{home}/c/{site.key}.js": (JAVASCRIPT, body),
        f"{home}/consent.more.js": (JAVASCRIPT, read_static("consent.more.js")),
        f"{home}/v1/sites/{site.key}/banner?lang={language}": ("application/json", orjson.dumps(config)),
    }

    def answer(route: Route) -> None:
        url = route.request.url
        if url in answers:
            content_type, content = answers[url]
            route.fulfill(body=content, content_type=content_type)
        elif url == config["logo_url"]:
            _let_through(route, roll)
        else:
            route.abort()

    return answer


def _let_through(route: Route, roll: Roll) -> None:
    from playwright.sync_api import Error

    try:
        answered = route.fetch(timeout=_MILLISECONDS)
        is_there = answered.ok
        route.fulfill(response=answered) if is_there else route.abort()
    except Error:
        is_there = False
        route.abort()
    if not is_there and route.request.url not in roll.missing:
        roll.missing.append(route.request.url)
