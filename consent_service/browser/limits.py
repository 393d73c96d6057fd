"""Bound how often one address asks and how much one receipt stores; nothing of it outlives the process."""

from __future__ import annotations

import hashlib
import hmac
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import date
from ipaddress import IPv6Address, ip_network
from secrets import token_bytes

from consent_service.browser.place import Address
from consent_service.config import Rate

MAX_BUCKETS = 50_000
EVENTS_PER_RECEIPT_AND_DAY = 5_000


class RateLimiter:
    """Hold a token bucket per sender, whose address is hashed under a key that dies with the process.

    A sender is an IPv4 address or a /64 of IPv6, which one connection has to itself; without an address all share one.
    """

    def __init__(self, rates: Mapping[str, Rate], clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = rates
        self._clock = clock
        self._key = token_bytes(32)
        self._lock = threading.Lock()
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, kind: str, address: Address | None, rule: str | None = None) -> int:
        """Take one from the bucket of a sender; gives 0, or the seconds after which to come back.

        `rule` names the setting that bounds this kind, when it is another.
        """
        rate = self._rates.get(rule or kind)
        if rate is None:
            return 0
        name = hmac.new(self._key, f"{kind} {_sender(address)}".encode(), hashlib.sha256).digest()[:16]
        now = self._clock()
        with self._lock:
            left, at = self._buckets.pop(name, (float(rate.burst), now))
            left = min(float(rate.burst), left + (now - at) * rate.per_second)
            allowed = left >= 1
            self._buckets[name] = (left - 1 if allowed else left, now)
            # The longest unused go first: a forgotten bucket was full again long ago.
            while len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1 - left) / rate.per_second))


def _sender(address: Address | None) -> str:
    # Whoever has one address of a /64 has them all, and could change it with every request.
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


class ReceiptQuota:
    """Count the events of each receipt and day in this process."""

    def __init__(self, most: int = EVENTS_PER_RECEIPT_AND_DAY) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._day: date | None = None
        self._counts: dict[str, int] = {}

    def take(self, receipt_id: str, day: date) -> bool:
        """Count one event; False when the receipt has had its share of the day."""
        with self._lock:
            if day != self._day:
                self._day, self._counts = day, {}
            count = self._counts.get(receipt_id, 0)
            if count >= self._most:
                return False
            self._counts[receipt_id] = count + 1
            return True
