"""Bound how often one address or all of a site ask and how much one receipt stores; it lives in memory alone."""

from __future__ import annotations

import hashlib
import hmac
import math
import mmap
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
# 2 MB; ten times the receipts that one machine sees on a busy day.
QUOTA_SLOTS = 2**19


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
        return 0 if rate is None else self._take(rate, f"{kind} {_sender(address)}")

    def take_of_site(self, kind: str, site_id: int) -> int:
        """Take one from the bucket that all senders of a site share; gives what `take` gives."""
        rate = self._rates.get(kind)
        return 0 if rate is None else self._take(rate, f"{kind} site {site_id}")

    def _take(self, rate: Rate, bucket: str) -> int:
        name = hmac.new(self._key, bucket.encode(), hashlib.sha256).digest()[:16]
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
    """Count the events of each receipt and day, for all processes that are forked from the one that made this.

    The counts lie in memory that they share, in slots found by a keyed hash of the receipt, two for each; the smaller
    count of the two is the receipt's. So a receipt is never given less than its share unless two busy ones meet it in
    both slots, and two processes that count in the same moment may lose one count.
    """

    def __init__(self, most: int = EVENTS_PER_RECEIPT_AND_DAY, slots: int = QUOTA_SLOTS) -> None:
        self._most = most
        self._slots = slots
        self._key = token_bytes(32)
        self._lock = threading.Lock()
        # The first number is the day that is counted.
        self._numbers = memoryview(mmap.mmap(-1, 4 * (slots + 1))).cast("I")

    def take(self, receipt_id: str, day: date) -> bool:
        """Count one event; False when the receipt has had its share of the day."""
        digest = hashlib.blake2b(receipt_id.encode(), key=self._key, digest_size=16).digest()
        first, second = (1 + int.from_bytes(half) % self._slots for half in (digest[:8], digest[8:]))
        numbers, today = self._numbers, day.toordinal()
        with self._lock:
            if numbers[0] != today:
                numbers[1:] = memoryview(bytes(4 * self._slots)).cast("I")
                numbers[0] = today
            if min(numbers[first], numbers[second]) >= self._most:
                return False
            for slot in {first, second}:
                numbers[slot] += 1
            return True
