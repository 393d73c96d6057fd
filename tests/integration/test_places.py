"""Country, region and city: by a trusted proxy's headers, else by a file that may be replaced; else unknown."""

from __future__ import annotations

import os
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from consent_service.browser.place import NOWHERE, PLACE_HEADERS, Address, MmdbLookup, Place, find_place, no_lookup
from consent_service.browser.watched import LOOK_EVERY_SECONDS
from consent_service.config import Config, load_config
from consent_service.secrets import write_secrets
from tests.integration.clock import Clock
from tests.integration.keeping import KeeperInHand
from tests.integration.visitor import Visitor

PARIS = {
    "country": {"iso_code": "FR"},
    "subdivisions": [{"iso_code": "IDF"}],
    "city": {"names": {"en": "Paris", "fr": "Paris"}},
}
LISBON = {"country": {"iso_code": "PT"}, "subdivisions": [{"iso_code": "11"}], "city": {"names": {"en": "Lisbon"}}}
ADDRESS = ip_address("198.51.100.7")


def write_places(path: Path, record: Any, network: str = "198.51.100.0/24") -> None:
    """Put a file in place in which one network is somewhere."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-City", languages=["en"])
    writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path.with_name("new.mmdb")))
    os.replace(path.with_name("new.mmdb"), path)


class Seconds:
    """A clock of seconds that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_replaced_file_is_used_and_a_broken_one_is_not(tmp_path: Path) -> None:
    path, clock = tmp_path / "places.mmdb", Seconds()
    write_places(path, PARIS)
    lookup = MmdbLookup(path, clock)
    assert lookup(ADDRESS) == Place("FR", "FR-IDF", "Paris")
    assert lookup(ip_address("203.0.113.1")) == NOWHERE
    assert lookup(ip_address("2001:db8::1")) == NOWHERE
    write_places(path, LISBON)
    clock.now += LOOK_EVERY_SECONDS
    assert lookup(ADDRESS) == Place("PT", "PT-11", "Lisbon")
    (tmp_path / "broken").write_bytes(b"no places" * 1000)
    os.replace(tmp_path / "broken", path)
    clock.now += LOOK_EVERY_SECONDS
    assert lookup(ADDRESS) == Place("PT", "PT-11", "Lisbon")
    write_places(path, PARIS)
    clock.now += LOOK_EVERY_SECONDS
    assert lookup(ADDRESS).city == "Paris"


@pytest.mark.parametrize(
    "record", [{}, {"country": 5}, {"country": {"iso_code": "FR"}, "subdivisions": {}, "city": []}]
)
def test_a_record_of_another_shape_tells_what_it_can(tmp_path: Path, record: Any) -> None:
    write_places(tmp_path / "places.mmdb", record)
    assert MmdbLookup(tmp_path / "places.mmdb")(ADDRESS) in (NOWHERE, Place("FR", "", ""))


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        ({"CF-IPCountry": "FR", "CF-Region-Code": "idf", "CF-IPCity": "Paris"}, Place("FR", "FR-IDF", "Paris")),
        ({"CloudFront-Viewer-Country": "PT", "CloudFront-Viewer-City": "Lisbon"}, Place("PT", "", "Lisbon")),
        ({"X-Vercel-IP-Country": "BR", "X-Vercel-IP-City": "S%C3%A3o%20Paulo"}, Place("BR", "", "São Paulo")),
        ({"X-Country-Code": "BR", "X-City": "São Paulo".encode().decode("latin-1")}, Place("BR", "", "São Paulo")),
        ({"CF-IPCountry": "XX", "X-Country-Code": "BE", "X-Region-Code": "BRU"}, Place("BE", "BE-BRU", "")),
        ({"X-Region-Code": "BRU", "X-City": "Brussels"}, NOWHERE),
        ({"X-Country-Code": "BE", "X-Region-Code": "Brussels", "X-City": "%ff"}, Place("BE", "", "")),
        ({"X-Country-Code": "BE", "X-City": "a%00b"}, Place("BE", "", "")),
        ({"X-Country-Code": "BE", "X-City": "x" * 101}, Place("BE", "", "")),
        ({"X-Country-Code": "BE", "X-Region-Code": "\x01"}, Place("BE", "", "")),
    ],
)
def test_a_trusted_proxy_says_country_region_and_city(headers: dict[str, str], place: Place) -> None:
    assert find_place(ADDRESS, headers, from_proxy=True, lookup=no_lookup) == place
    assert find_place(ADDRESS, headers, from_proxy=False, lookup=no_lookup) == NOWHERE


def test_the_file_adds_what_the_proxy_does_not_say_where_they_agree() -> None:
    def lookup(address: Address) -> Place:
        return Place("FR", "FR-IDF", "Paris")

    def place(**headers: str) -> Place:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return find_place(ADDRESS, said, from_proxy=True, lookup=lookup)

    assert place(X_Country_Code="FR") == Place("FR", "FR-IDF", "Paris")
    assert place(X_Country_Code="BE") == Place("BE", "", "")
    assert place(X_Country_Code="FR", X_City="Lyon") == Place("FR", "", "Lyon")
    assert place() == Place("FR", "FR-IDF", "Paris")


@pytest.fixture
def config(data_dir: Path, database: str, now: Clock) -> Config:
    """Give settings with a file of places and one trusted network."""
    write_secrets(data_dir, now())
    write_places(data_dir / "places.mmdb", PARIS)
    environ = {
        "CONSENT_SERVICE_DATABASE_URL": database,
        "CONSENT_SERVICE_RATE_LIMITS": "off",
        "CONSENT_SERVICE_GEOIP_DB": str(data_dir / "places.mmdb"),
    }
    made = load_config(environ, data_dir=data_dir)
    return replace(made, trusted_proxies=(ip_network("10.0.0.0/8"),))


def test_the_country_of_a_stored_event_is_that_of_the_visitors_address(visitor: Visitor, keeper: KeeperInHand) -> None:
    for path, peer, forwarded in (("/a", "10.0.0.7", "198.51.100.7"), ("/b", "203.0.113.1", "198.51.100.7")):
        visitor = visitor.another()
        visitor.accept()
        body = {"site": visitor.site_key, "token": visitor.token, "events": [visitor.event(path)]}
        headers = {"Origin": visitor.origin, "X-Forwarded-For": forwarded, **visitor.headers}
        answer = visitor.client.post("/v1/events", json=body, headers=headers, environ_base={"REMOTE_ADDR": peer})
        assert answer.get_json()["accepted"] == 1
    keeper.turn()
    rows = keeper.store.fetch("SELECT path, country, region, city FROM event ORDER BY path", []).rows
    # The example's policy declares the country alone; the second peer is no proxy of ours.
    assert rows == [("/a", "FR", "", ""), ("/b", "", "", "")]


def test_the_example_files_of_every_front_server_drop_what_a_visitor_claims_of_a_place() -> None:
    folder = Path(__file__).parents[2] / "docs" / "proxies"
    names = [name for names in PLACE_HEADERS for name in names]
    for file in ("nginx.conf", "apache.conf", "Caddyfile"):
        text = (folder / file).read_text()
        assert [name for name in names if name not in text] == [], file
    worker = (folder / "worker.js").read_text()
    assert [name for name in names if not name.startswith("CF-") and f'"{name}"' not in worker] == []
