"""Write the hashes of its own script and style into verify.html's Content-Security-Policy."""

import hashlib
import re
from base64 import b64encode
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "consent_service" / "ledger" / "verifier" / "verify.html"


def pinned(page: str) -> str:
    """Give the page with a policy that lets run what is in it and nothing else."""
    for kind in ("script", "style"):
        inside = re.search(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        if inside is None:
            raise SystemExit(f"{PAGE} has no {kind}")
        digest = b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
        page = re.sub(rf"{kind}-src 'sha256-[^']*'", f"{kind}-src 'sha256-{digest}'", page, count=1)
    return page


if __name__ == "__main__":
    PAGE.write_text(pinned(PAGE.read_text()))
