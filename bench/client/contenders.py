"""What is compared: the bare page, the floor, the peers and ours, each on the same article, as documented."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.client.server import Held, hold

HERE = Path(__file__).parent
PAGES = HERE / "pages"
PACKAGES = HERE / "node_modules"
SPLIT = "<!-- end of body -->\n"
BARE, FLOOR, VANILLA, OURS = "bare page", "floor", "vanilla-cookieconsent", "ours"


@dataclass(frozen=True)
class Contender:
    """Name one: the ways to its banner and its refuse button, and which files its page asks for.

    A way is a list of selectors; each but the first looks into the shadow root of what the one before it found.
    `files` gives for each path below the page's own the file that is served there.
    """

    name: str
    banner: Sequence[str] = ()
    refuse: Sequence[str] = ()
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Give the path of its page."""
        return f"/{self.name.replace(' ', '-')}/"

    @property
    def version(self) -> str:
        """Give the version of a peer's package, else nothing."""
        package = PACKAGES / self.name / "package.json"
        return str(json.loads(package.read_bytes())["version"]) if package.exists() else ""


def _from(package: str, *names: str) -> dict[str, Path]:
    return {name.removeprefix("dist/"): PACKAGES / package / name for name in names}


PEERS = (
    Contender(
        VANILLA,
        ["#cc-main"],
        ["#cc-main .cm__btn[data-role=necessary]"],
        _from(VANILLA, "dist/cookieconsent.css", "dist/cookieconsent.umd.js"),
    ),
    Contender(
        "orejime",
        [".orejime-Env"],
        [".orejime-Banner-declineButton"],
        _from("orejime", "dist/orejime-standard-fr.js", "dist/orejime-standard.css"),
    ),
    Contender(
        "klaro",
        ["#klaro"],
        ["#klaro .cn-decline"],
        {**_from("klaro", "dist/klaro.js"), "config.js": PAGES / "klaro-config.js"},
    ),
    Contender(
        "tarteaucitronjs",
        ["#tarteaucitronRoot"],
        ["#tarteaucitronAllDenied2"],
        _from(
            "tarteaucitronjs",
            "tarteaucitron.min.js",
            "tarteaucitron.services.min.js",
            "lang/tarteaucitron.fr.min.js",
            "css/tarteaucitron.min.css",
        ),
    ),
    Contender(
        "cookies-eu-banner",
        ["#cookies-eu-banner"],
        ["#cookies-eu-reject"],
        _from("cookies-eu-banner", "dist/cookies-eu-banner.global.js"),
    ),
)
BARE_PAGE = Contender(BARE)
THE_FLOOR = Contender(FLOOR, ["#choice"], ["#choice [data-action=refuse]"], {"floor.js": PAGES / "floor.js"})
OUR_CLIENT = Contender(OURS, ["consent-banner"], ["consent-banner", "[data-action=refuse]"])


def choose(is_quick: bool, only: Sequence[str] | None = None) -> list[Contender]:
    """Give what takes part: all, with `only` these of the peers, or what needs no package of a peer."""
    peers = [] if is_quick else [peer for peer in PEERS if only is None or peer.name in only]
    return [BARE_PAGE, THE_FLOOR, *peers, OUR_CLIENT]


def fetch_peers() -> None:
    """Install the peers' packages at the versions of the lock file, unless they lie there already."""
    installed, locked = PACKAGES / ".package-lock.json", HERE / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= locked.stat().st_mtime:
        return
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=HERE, check=True)
    installed.touch()


def files_of(contenders: Sequence[Contender], snippet: str) -> dict[str, Held]:
    """Give every file the pages need, by path; `snippet` is the tag of our service."""
    files = {"/blank/": hold("/blank/", b"<!doctype html><title>blank</title><link rel=icon href=data:,>")}
    for contender in contenders:
        files[contender.path] = hold(contender.path, _page(contender, snippet).encode())
        for name, source in contender.files.items():
            path = contender.path + name
            files[path] = hold(path, source.read_bytes())
    return files


def _page(contender: Contender, snippet: str) -> str:
    if contender.name == BARE:
        head, body = "", ""
    elif contender.name == OURS:
        head, body = snippet, ""
    else:
        head, _, body = (PAGES / f"{contender.name}.html").read_text(encoding="utf-8").partition(SPLIT)
    article = (PAGES / "article.html").read_text(encoding="utf-8")
    return article.replace("<!-- head -->\n", head).replace("<!-- body -->\n", body)
