"""The chart library in the repository is the published one, with its licence."""

import hashlib
from pathlib import Path

from consent_service.console.assets import FILES

CONSOLE = Path(__file__).parents[3] / "static" / "console"
UPLOT_1_6_32 = {
    "LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


def test_the_chart_library_is_what_tools_vendor_console_fetches() -> None:
    folder = CONSOLE / "vendor" / "uplot"
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert found == UPLOT_1_6_32


def test_every_file_that_is_served_is_there_and_every_file_there_is_served() -> None:
    there = {path.relative_to(CONSOLE).as_posix() for path in CONSOLE.rglob("*") if path.is_file()}
    assert there == set(FILES)


def test_nothing_of_the_console_is_fetched_from_elsewhere() -> None:
    templates = Path(__file__).parents[3] / "consent_service" / "console" / "templates"
    files = [*templates.rglob("*.html"), CONSOLE / "console.css", CONSOLE / "console.js"]
    for path in files:
        text = path.read_text()
        assert "//cdn" not in text, path
        assert "style=" not in text, path
        assert "@import" not in text, path
        for address in ('src="http', "src='http", 'rel="stylesheet" href="http', "url(http"):
            assert address not in text, path
