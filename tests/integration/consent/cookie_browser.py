"""A browser that keeps the service's cookies and nothing else."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.test import TestResponse

APEX, WWW = "https://nouvelles.example", "https://www.nouvelles.example"
OWN, SHARED, MIRROR = "__Host-consent-{key}", "__Secure-consent-{key}", "consent-{key}-mirror"


class Browser:
    """A browser that keeps the service's cookies and nothing else."""

    def __init__(self, app: Flask, key: str) -> None:
        self.client = app.test_client()
        self.key = key

    def post(self, path: str, body: Any, origin: str = APEX, **headers: str) -> TestResponse:
        """Send JSON from a page of an origin to the service on this very origin."""
        sent = {"Origin": origin, "Sec-Fetch-Site": "same-origin", **headers}
        return self.client.post(path, base_url=origin, json=body, headers=sent)

    def decide(self, *granted: str, origin: str = APEX, **members: Any) -> TestResponse:
        """Grant some purposes and refuse the others."""
        config = self.client.get(f"/v1/sites/{self.key}/banner").get_json()
        purposes = {purpose["id"]: purpose["id"] in granted for purpose in config["purposes"]}
        body = {
            "site": self.key,
            "action": "save" if granted else "refuse_all",
            "purposes": purposes,
            "policy_version": config["policy_version"],
            "banner_hash": config["banner_hash"],
            "language": config["language"],
            "idempotency_key": str(uuid4()),
        }
        answer = self.post("/v1/decisions", {**body, **members}, origin)
        assert answer.status_code == 201, answer.text
        return answer

    def withdraw(self, *purposes: str, origin: str = APEX, token: str | None = None) -> TestResponse:
        """Withdraw the purposes named, or all, by the cookie."""
        body = {"site": self.key, "token": token, "purposes": list(purposes) or None}
        return self.post("/v1/withdrawals", body, origin)

    def view(self, origin: str = APEX) -> str:
        """Send a pageview by the cookie alone; gives "" or the code of the refusal."""
        event = {"id": str(uuid4()), "name": "pageview", "url": f"{origin}/", "age_ms": 0}
        answer = self.post("/v1/events", {"site": self.key, "events": [event]}, origin)
        return answer.headers.get("X-Consent-Reason", "")

    def cookie(self, name: str, host: str = "nouvelles.example") -> str | None:
        """Give the value of a cookie that is kept for a host or domain."""
        held = self.client.get_cookie(name.format(key=self.key), domain=host)
        return None if held is None else held.value

    @property
    def names(self) -> set[tuple[str, str]]:
        """Give the names of all cookies with their hosts."""
        kept = (self.client._cookies or {}).values()
        return {(each.key.replace(self.key, "KEY"), each.domain) for each in kept}


def attributes(answer: TestResponse) -> list[dict[str, str]]:
    """Give the attributes of each cookie set, its name and value under `name` and `value`."""
    found = []
    for header in answer.headers.getlist("Set-Cookie"):
        pair, *rest = header.split("; ")
        name, _, value = pair.partition("=")
        found.append(
            {"name": name, "value": value, **{each.partition("=")[0]: each.partition("=")[2] for each in rest}}
        )
    return found
