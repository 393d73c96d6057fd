"""Believe what a proxy says of the visitor's address, host and path, when it is one of ours; otherwise nobody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from werkzeug.middleware.proxy_fix import ProxyFix

from consent_service.browser.place import client_address, is_trusted
from consent_service.config import Network
from consent_service.fields import is_path_prefix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HOST: Final = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
# What such a header may hold. A path with two slashes in front would lead links to another host.
_IS_SOUND: Final[Mapping[str, Callable[[str], bool]]] = {
    "HTTP_X_FORWARDED_PROTO": lambda value: value in ("http", "https"),
    "HTTP_X_FORWARDED_HOST": lambda value: _HOST.fullmatch(value) is not None,
    "HTTP_X_FORWARDED_PREFIX": is_path_prefix,
}


class TrustedProxies:
    """Take scheme, host and path prefix from `X-Forwarded-*` of trusted peers alone.

    The visitor's address is not touched: `client_address` finds it, over any number of trusted hops.
    """

    def __init__(self, app: WSGIApplication, networks: Sequence[Network]) -> None:
        self._app = app
        self._behind_proxy = ProxyFix(app, x_for=0, x_proto=1, x_host=1, x_prefix=1)
        self._networks = networks

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request as the visitor's browser sees it."""
        if not self._networks or not is_trusted(client_address(environ.get("REMOTE_ADDR"), None, ()), self._networks):
            return self._app(environ, start_response)
        for name, is_sound in _IS_SOUND.items():
            # The last of a list is what the nearest proxy wrote.
            value = environ.pop(name, "").rpartition(",")[2].strip().removesuffix("/")
            if is_sound(value):
                environ[name] = value
        return self._behind_proxy(environ, start_response)
