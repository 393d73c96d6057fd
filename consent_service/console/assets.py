"""Serve the console's own style, script and chart library; nothing is fetched from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

from flask import Blueprint, Response, request, url_for

from consent_service.errors import NotFound
from consent_service.resources import data_dir

FILES: Final = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "vendor/uplot/uPlot.iife.min.js": "text/javascript; charset=utf-8",
    "vendor/uplot/uPlot.min.css": "text/css; charset=utf-8",
    "vendor/uplot/LICENSE": "text/plain; charset=utf-8",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def add_routes(bp: Blueprint) -> None:
    """Add the route of the assets to the console."""
    bp.add_url_rule("/static/<path:name>", view_func=asset)


def asset(name: str) -> Response:
    """Give one of the listed files; the address that names its content may be kept for ever."""
    if name not in FILES:
        raise NotFound("there is no such file")
    body, digest = _read(name)
    response = Response(body, content_type=FILES[name])
    response.headers["Cache-Control"] = _FOR_EVER if request.args.get("v") == digest else "no-cache"
    response.set_etag(digest)
    response.make_conditional(request)
    return response


def asset_url(name: str) -> str:
    """Give the address of a file, which changes with its content."""
    return url_for("console.asset", name=name, v=_read(name)[1])


@cache
def _read(name: str) -> tuple[bytes, str]:
    body = (data_dir("static") / "console" / name).read_bytes()
    return body, hashlib.sha256(body).hexdigest()[:20]
