"""Find the Chromium that browser tests drive; `python -m tests.chromium` tells which."""

import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
MAC_APPS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)

# Without these the browser asks its maker's hosts for updates and lists: noise where tests count requests.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return its path: CONSENT_TEST_CHROMIUM, else an installed one, else the test library's own."""
    if chosen := os.environ.get("CONSENT_TEST_CHROMIUM"):
        return chosen if shutil.which(chosen) else None
    for name in NAMES:
        if path := shutil.which(name):
            return path
    for app in MAC_APPS:
        if app.exists():
            return str(app)
    return _downloaded()


def _downloaded() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


if __name__ == "__main__":
    found = find_chromium()
    if found is None:
        sys.exit(1)
    print(found)
