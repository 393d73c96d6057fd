"""The files of docs/proxies in front of a real service: nginx, Apache, Caddy, and the Worker run by Node.js."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.cli.conftest import Deployment
from tests.integration.cli.program import Program, Server
from tests.integration.fronts import ORIGIN, Front, deploy, open_front
from tests.proxies import MEND, find_proxy

# Nobody but the visitor whose address must be nowhere comes from here.
SEEDED = "127.0.0.77"
NAMES = ("nginx", "apache", "caddy", "worker")
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def require(name: str) -> None:
    """Skip where an optional web server is not there; nginx and Node.js are installed by `make test`."""
    if find_proxy(name) is not None:
        return
    if name in ("nginx", "worker"):
        pytest.fail(f"{name} is not there: {MEND[name]}", pytrace=False)
    pytest.skip(f"{name} is not there: {MEND[name]}")


@pytest.fixture(scope="module")
def template() -> Iterator[Deployment]:
    """Give a deployment to copy."""
    with tempfile.TemporaryDirectory(prefix="consent-") as name:
        limits = "events=50/s:200,decisions=1/h:3"
        yield deploy(Path(name) / "data", RATE_LIMITS=limits)


def copy(template: Deployment, directory: Path) -> Deployment:
    """Copy a deployment that no server has used."""
    shutil.copytree(template.program.data_dir, directory)
    return Deployment(Program(directory, **template.program.settings), template.site, template.origin)


@pytest.fixture(scope="module")
def deployment(template: Deployment) -> Iterator[Deployment]:
    """Give a deployment that most tests here share."""
    with tempfile.TemporaryDirectory(prefix="consent-") as name:
        yield copy(template, Path(name) / "data")


@pytest.fixture(scope="module")
def server(deployment: Deployment) -> Iterator[Server]:
    """Run the service."""
    running = Server(deployment.program)
    try:
        running.wait_for_line()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module", params=NAMES)
def front(request: pytest.FixtureRequest, server: Server) -> Iterator[Front]:
    """Run one web server after the other in front of it."""
    require(request.param)
    with open_front(request.param, server.port) as running:
        yield running


class Visitor:
    """A browser on a page of the site, which keeps its token as cookies do."""

    def __init__(self, front: Front, key: str, address: str) -> None:
        self.front, self.key, self.client = front, key, front.client(address)
        self.token = ""

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "User-Agent": USER_AGENT}
        if self.token:
            headers["Cookie"] = f"other=1; __Host-consent-{self.key}={self.token}"
        headers |= options.pop("headers", {})
        return self.front.ask(self.client, method, f"/_consent{path}", headers=headers, **options)

    def accept(self, **options: Any) -> httpx.Response:
        config = self.ask("GET", f"/v1/sites/{self.key}/banner").json()
        body = {
            "site": self.key,
            "action": "accept_all",
            "purposes": {purpose["id"]: True for purpose in config["purposes"]},
            "policy_version": config["policy_version"],
            "banner_hash": config["banner_hash"],
            "language": config["language"],
        }
        answer = self.ask("POST", "/v1/decisions", json=body, **options)
        if answer.status_code == 201:
            self.token = answer.json()["token"]
        return answer

    def view(self) -> httpx.Response:
        event = {"id": str(uuid4()), "name": "pageview", "url": f"{ORIGIN}/", "age_ms": 0}
        return self.ask("POST", "/v1/events", json={"site": self.key, "events": [event]})


def test_scripts_come_compressed_and_may_be_kept(front: Front, deployment: Deployment) -> None:
    client = front.client()
    for path in (f"/_consent/c/{deployment.site}.js", "/_consent/consent.v1.js", "/_consent/consent.v1.more.js"):
        answer = front.ask(client, "GET", path, headers={"Accept-Encoding": "br"})
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=3600"
        assert "Set-Cookie" not in answer.headers
        # The Worker's fetch decompresses in Node.js, where it does not at Cloudflare.
        if front.name != "worker":
            assert answer.headers["Content-Encoding"] == "br"
        known = {"Accept-Encoding": "br", "If-None-Match": answer.headers["ETag"]}
        assert front.ask(client, "GET", path, headers=known).status_code == 304


def test_hosted_pages_work_under_the_path(front: Front, deployment: Deployment) -> None:
    client = front.client()
    for page in ("privacy", "banner", "my"):
        answer = front.ask(client, "GET", f"/_consent/{page}/{deployment.site}?lang=en")
        assert answer.status_code == 200
        assert 'href="/_consent/static/privacy.css"' in answer.text
        assert 'lang="en"' in answer.text
    style = front.ask(client, "GET", "/_consent/static/privacy.css")
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")


def test_the_statement_on_the_signal_is_at_the_root(front: Front) -> None:
    client = front.client()
    answer = front.ask(client, "GET", "/.well-known/gpc.json")
    assert answer.status_code == 200
    assert answer.json()["gpc"] is True


@pytest.mark.parametrize(
    "path",
    [
        "/console/",
        "/api/v1/events",
        "/metrics",
        "/healthz",
        "/openapi.json",
        "/docs",
        "/",
        "/c/../metrics",
        "/c/%2e%2e/metrics",
        "/c/..%2fmetrics",
        "/static/../console/login",
        "//metrics",
        "/c%2f..%2fmetrics",
        "/consent.js/../metrics",
        "/c/%0d%0aX-Evil:%201",
    ],
)
def test_what_is_not_for_visitors_is_not_there(front: Front, path: str) -> None:
    client = front.client()
    answer = front.ask(client, "GET", f"/_consent{path}")
    assert answer.status_code in (400, 404), answer.text
    assert "X-Evil" not in answer.headers


def test_a_visitor_decides_is_measured_and_withdraws_by_the_cookie(front: Front, deployment: Deployment) -> None:
    visitor = Visitor(front, deployment.site, address(front, 100))
    answer = visitor.accept()
    assert answer.status_code == 201, answer.text
    names = [cookie.partition("=")[0] for cookie in answer.headers.get_list("Set-Cookie")]
    assert names == [f"__Host-consent-{deployment.site}", f"consent-{deployment.site}-mirror"]
    assert visitor.view().status_code == 202
    withdrawn = visitor.ask("POST", "/v1/withdrawals", json={"site": deployment.site})
    assert withdrawn.status_code == 200
    assert withdrawn.json()["receipt_id"] == answer.json()["receipt_id"]
    assert withdrawn.headers.get_list("Set-Cookie")[1].startswith(f"consent-{deployment.site}-mirror=1..")
    visitor.token = withdrawn.json()["token"]
    assert visitor.view().headers["X-Consent-Reason"] == "purpose_refused"


def test_each_visitor_is_bounded_alone_whatever_they_say_they_are(front: Front, deployment: Deployment) -> None:
    first = Visitor(front, deployment.site, address(front, 120))
    statuses = [first.accept(headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(4)]
    assert statuses == [201, 201, 201, 429]
    assert Visitor(front, deployment.site, address(front, 140)).accept().status_code == 201


def test_a_visitor_cannot_move_the_pages(front: Front, deployment: Deployment) -> None:
    evil = {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    client = front.client()
    page = front.ask(client, "GET", f"/_consent/privacy/{deployment.site}", headers=evil).text
    gpc = front.ask(client, "GET", "/.well-known/gpc.json", headers=evil)
    assert "evil" not in page
    # The tag stands only where the host is the site's own.
    assert f'src="/_consent/c/{deployment.site}.js"' in page
    assert gpc.json()["gpc"] is True


def test_a_body_has_32_kilobytes(front: Front, deployment: Deployment) -> None:
    visitor = Visitor(front, deployment.site, address(front, 160))
    large = {"content": b"x" * 33_000, "headers": {"Content-Type": "text/plain"}}
    refused = visitor.ask("POST", "/v1/events", **large)
    assert refused.status_code == 413
    # The service's own refusal is JSON: this one never reached it.
    assert refused.headers.get("Content-Type") != "application/json"
    fitting = {"content": b"x" * 32_000, "headers": {"Content-Type": "text/plain"}}
    answer = visitor.ask("POST", "/v1/events", **fitting)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_json")


def test_who_comes_past_the_proxy_is_not_believed(server: Server, deployment: Deployment) -> None:
    config = httpx.get(f"{server.url}/v1/sites/{deployment.site}/banner").json()
    body = {"site": deployment.site, "action": "refuse_all", "purposes": {"analytics": False}}
    body |= {"policy_version": config["policy_version"], "banner_hash": config["banner_hash"]}
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.79"), base_url=server.url) as client:
        page = client.get(f"/privacy/{deployment.site}", headers={"X-Forwarded-Prefix": "/evil"})
        assert "evil" not in page.text
        statuses = [
            client.post(
                "/v1/decisions", json=body, headers={"Origin": ORIGIN, "X-Forwarded-For": f"198.51.100.{n}"}
            ).status_code
            for n in range(4)
        ]
    assert statuses == [201, 201, 201, 429]


@pytest.mark.parametrize("name", NAMES)
def test_the_visitors_address_is_nowhere(template: Deployment, name: str) -> None:
    require(name)
    with tempfile.TemporaryDirectory(prefix="consent-") as place:
        deployment = copy(template, Path(place) / "data")
        server = Server(deployment.program)
        try:
            server.wait_for_line()
            with open_front(name, server.port) as front:
                visit_everything(front, deployment)
                server.stop()
                visitor = Visitor(front, deployment.site, SEEDED)
                assert visitor.view().status_code >= 500
                other = front.client("127.0.0.78")
                front.ask(other, "GET", "/")
                written = front.written()
            assert server.process.stdout is not None
            assert server.process.stderr is not None
            said = server.process.stdout.read() + server.process.stderr.read()
        finally:
            server.close()
        assert SEEDED not in written
        assert SEEDED not in said
        # Other pages are in the site's own log, so it would have shown.
        assert name == "worker" or "127.0.0.78" in written
        stored = [path for path in deployment.program.data_dir.rglob("*") if path.is_file()]
        assert any(path.suffix == ".duckdb" for path in stored)
        assert [path.name for path in stored if SEEDED.encode() in path.read_bytes()] == []


def visit_everything(front: Front, deployment: Deployment) -> None:
    """Do what a visitor can do, and what goes wrong for one, all from the seeded address."""
    visitor = Visitor(front, deployment.site, SEEDED)
    assert visitor.accept().status_code == 201
    assert visitor.view().status_code == 202
    for page in ("c/{}.js", "privacy/{}", "banner/{}", "my/{}", "v1/sites/{}/banner"):
        assert visitor.ask("GET", "/" + page.format(deployment.site)).status_code == 200
    assert visitor.ask("GET", "/console/").status_code == 404
    assert visitor.ask("GET", "/privacy/none").status_code == 404
    assert visitor.ask("POST", "/v1/events", content=b"{", headers={"Content-Type": "text/plain"}).status_code == 400
    assert visitor.ask("POST", "/v1/events", content=b"x" * 40_000).status_code == 413
    assert front.ask(visitor.client, "GET", "/.well-known/gpc.json").status_code == 200
    assert visitor.ask("POST", "/v1/withdrawals", json={"site": deployment.site}).status_code == 200


def address(front: Front, number: int) -> str:
    """Give an address of its own to each test and web server: the bounds are the service's, which all share."""
    return f"127.0.0.{number + NAMES.index(front.name)}"
