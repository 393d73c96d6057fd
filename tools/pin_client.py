"""Write the hashes of the served scripts into the documentation, after a build of the client."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from consent_service.consent.assets import SCRIPTS
from consent_service.resources import data_dir

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = ("versions.md", "websites.md")
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| `[^`]*` \| `[^`]*` \|$", re.MULTILINE)
_TAG = re.compile(r'(/consent\.v(\d+)\.js"[^>]*? integrity=")[^"]*(")')


def integrity(name: str) -> str:
    """Give the subresource integrity of a script by the name it is served under."""
    digest = hashlib.sha384((data_dir("static") / SCRIPTS[name]).read_bytes()).digest()
    return f"sha384-{base64.b64encode(digest).decode()}"


def pinned(text: str) -> str:
    """Give a page of the documentation with every hash of a version's script as it is now."""
    text = _TAG.sub(lambda tag: f"{tag[1]}{integrity(f'consent.v{tag[2]}.js')}{tag[3]}", text)
    return _ROW.sub(
        lambda row: (
            f"| {row[1]} | {row[2]} | `{integrity(f'consent.v{row[1]}.js')}` | "
            f"`{integrity(f'consent.v{row[1]}.more.js')}` |"
        ),
        text,
    )


if __name__ == "__main__":
    for page in (DOCS / name for name in PAGES):
        before = page.read_text(encoding="utf-8")
        after = pinned(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"docs/{page.name}")
