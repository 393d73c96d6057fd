"""How often a sender may ask: an IPv4 address, or the /64 of an IPv6 one."""

from __future__ import annotations

from datetime import date
from ipaddress import ip_address

import pytest

from consent_service.browser.limits import RateLimiter, ReceiptQuota
from consent_service.config import Rate


class Seconds:
    """A clock of seconds that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def limiter(clock: Seconds) -> RateLimiter:
    return RateLimiter({"decisions": Rate(0.5, 2)}, clock)


def test_a_burst_is_allowed_and_then_the_average() -> None:
    clock = Seconds()
    rates, sender = limiter(clock), ip_address("198.51.100.1")
    assert [rates.take("decisions", sender) for _ in range(3)] == [0, 0, 2]
    clock.now += 2
    assert [rates.take("decisions", sender) for _ in range(2)] == [0, 2]
    assert rates.take("decisions", ip_address("198.51.100.2")) == 0
    assert rates.take("withdrawals", sender, "decisions") == 0
    assert rates.take("events", sender) == 0


@pytest.mark.parametrize(
    ("other", "is_the_same"), [("2001:db8:1:2:ffff::9", True), ("2001:db8:1:3::1", False), ("198.51.100.1", False)]
)
def test_one_connection_has_one_share_whichever_of_its_addresses_it_uses(other: str, is_the_same: bool) -> None:
    rates = limiter(Seconds())
    for host in ("2001:db8:1:2::1", "2001:db8:1:2::2"):
        assert rates.take("decisions", ip_address(host)) == 0
    assert (rates.take("decisions", ip_address(other)) > 0) is is_the_same


def test_senders_without_an_address_share_one_bucket() -> None:
    rates = limiter(Seconds())
    assert [rates.take("decisions", None) for _ in range(3)] == [0, 0, 2]


def test_a_receipt_has_its_share_of_each_day() -> None:
    quota, day = ReceiptQuota(most=2), date(2026, 3, 10)
    assert [quota.take("a", day) for _ in range(3)] == [True, True, False]
    assert quota.take("b", day)
    assert quota.take("a", day.replace(day=day.day + 1))
