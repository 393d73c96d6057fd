"""Know of the browser that sent the present request what the product may know: coarse device, place, rate."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from consent_service.browser.device import Device, read_device
from consent_service.browser.place import PLACE_HEADERS, Address, Place, client_address, find_place, is_trusted
from consent_service.errors import RateLimited
from consent_service.services import services


@dataclass(frozen=True, slots=True)
class Sender:
    """Hold device and place of a request, and its address, which never leaves memory."""

    device: Device
    place: Place
    address: Address | None

    def __repr__(self) -> str:
        return "Sender(…)"


def read_sender() -> Sender:
    """Read the sender of the present request."""
    parts = services()
    proxies = parts.config.trusted_proxies
    headers = request.headers
    peer = client_address(request.remote_addr, None, ())
    from_proxy = is_trusted(peer, proxies)
    address = client_address(request.remote_addr, headers.get("X-Forwarded-For"), proxies) if from_proxy else peer
    # Asked for one by one: a copy of all would know them by the server's own spelling alone.
    said = {name: headers.get(name, "") for names in PLACE_HEADERS for name in names} if from_proxy else {}
    place = find_place(address, said, from_proxy=from_proxy, lookup=parts.lookup)
    is_local = address is not None and address.is_loopback
    return Sender(read_device(request.headers.get("User-Agent"), is_local=is_local), place, address)


def limit_site(sender: Sender, kind: str, site_id: int) -> None:
    """Raise RateLimited when a site was asked too often, whoever asked: one site's flood leaves the others alone."""
    parts = services()
    if parts.config.is_demo and (sender.address is None or sender.address.is_loopback):
        return
    wait = parts.limiter.take_of_site(f"site_{kind}", site_id)
    if wait:
        raise RateLimited(wait)


def limit_rate(sender: Sender, kind: str, rule: str | None = None) -> None:
    """Raise RateLimited when the address asked too often; `rule` names the setting of another kind."""
    parts = services()
    address = sender.address
    if parts.config.is_demo and (address is None or address.is_loopback):
        return
    wait = parts.limiter.take(kind, address, rule)
    if wait:
        raise RateLimited(wait)
