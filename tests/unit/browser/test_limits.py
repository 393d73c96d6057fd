"""How often a sender may ask: an IPv4 address, or the /64 of an IPv6 one."""

from __future__ import annotations

import os
import tracemalloc
from datetime import date
from ipaddress import IPv4Address, ip_address

import pytest

from consent_service.browser.limits import MAX_BUCKETS, RateLimiter, ReceiptQuota
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
    quota, day = ReceiptQuota(most=2, slots=1024), date(2026, 3, 10)
    assert [quota.take("a", day) for _ in range(3)] == [True, True, False]
    assert quota.take("b", day)
    assert quota.take("a", day.replace(day=day.day + 1))


def test_all_senders_of_a_site_share_its_bucket_and_another_site_has_its_own() -> None:
    clock = Seconds()
    rates = RateLimiter({"site_events": Rate(1, 3)}, clock)
    assert [rates.take_of_site("site_events", 1) for _ in range(4)] == [0, 0, 0, 1]
    assert rates.take_of_site("site_events", 2) == 0
    assert rates.take_of_site("site_decisions", 1) == 0
    clock.now += 1
    assert [rates.take_of_site("site_events", 1) for _ in range(2)] == [0, 1]


def test_a_flood_of_addresses_is_held_in_a_bounded_number_of_buckets() -> None:
    rates = limiter(Seconds())
    tracemalloc.start()
    for number in range(MAX_BUCKETS + 10_000):
        rates.take("decisions", IPv4Address(number))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 20_000_000


def test_forked_processes_count_a_receipt_together() -> None:
    quota, day = ReceiptQuota(most=10, slots=1024), date(2026, 3, 10)
    for _ in range(3):
        child = os.fork()
        if child == 0:
            os._exit(sum(quota.take("a", day) for _ in range(3)))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert [quota.take("a", day) for _ in range(2)] == [True, False]
    assert quota.take("b", day)


def test_many_quiet_receipts_take_nothing_from_each_other() -> None:
    quota, day = ReceiptQuota(most=50), date(2026, 3, 10)
    assert all(quota.take(str(receipt), day) for receipt in range(20_000) for _ in range(3))
