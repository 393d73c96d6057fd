"""Keep what is served to everyone, compressed once."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

import brotli


@dataclass(frozen=True, slots=True)
class Asset:
    """Hold one file as it travels: plain, in brotli and in gzip, with the tag of its content."""

    body: bytes
    brotli: bytes
    gzip: bytes
    etag: str


class Shelf:
    """Give assets by name; each is written once for its source, and compressed once for its bytes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[object, Asset]] = {}

    def give(self, name: str, source: object, write: Callable[[], bytes]) -> Asset:
        """Give the asset of a name, written anew when `source` is another object than the last time.

        Requests that come while it is being compressed wait for it; nothing is compressed twice at the same time.
        """
        kept = self._kept.get(name)
        if kept is not None and kept[0] is source:
            return kept[1]
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None and kept[0] is source:
                return kept[1]
            body = write()
            # A change at one site makes a new source for all; most of their files stay what they were.
            asset = kept[1] if kept is not None and kept[1].body == body else compress(body)
            self._kept[name] = (source, asset)
            return asset


def compress(body: bytes) -> Asset:
    """Compress a file as small as it gets; takes tens of milliseconds."""
    return Asset(
        body=body,
        brotli=brotli.compress(body, quality=11),
        gzip=gzip.compress(body, 9, mtime=0),
        etag=hashlib.sha256(body).hexdigest()[:32],
    )
