"""A visitor who acts through the requests that the client script sends."""

from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


class Visitor:
    """Hold what one browser holds: the token of the last answer, and the origin of the page it is on."""

    def __init__(self, client: FlaskClient, site_key: str, origin: str) -> None:
        self.client = client
        self.site_key = site_key
        self.origin = origin
        self.token: str | None = None
        self.receipt_id: str | None = None
        self.headers: dict[str, str] = {"User-Agent": USER_AGENT}

    def another(self) -> "Visitor":
        """Give a browser of its own on the same page."""
        return Visitor(self.client, self.site_key, self.origin)

    def post(self, path: str, body: Any, **headers: str) -> TestResponse:
        """Send JSON from the page; `headers` with `_` for `-` come on top."""
        sent = {"Origin": self.origin, **self.headers}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, json=body, headers=sent)

    def banner(self, language: str | None = None) -> dict[str, Any]:
        """Fetch the banner config."""
        query = {} if language is None else {"lang": language}
        response = self.client.get(
            f"/v1/sites/{self.site_key}/banner", query_string=query, headers={"Origin": self.origin}
        )
        assert response.status_code == 200, response.text
        config: dict[str, Any] = response.get_json()
        return config

    def decision(self, action: str, **members: Any) -> dict[str, Any]:
        """Write the body of a decision on the banner as it is now."""
        config = self.banner(members.get("language"))
        is_granted = action != "refuse_all"
        body = {
            "site": self.site_key,
            "action": action,
            "purposes": {purpose["id"]: is_granted for purpose in config["purposes"]},
            "policy_version": config["policy_version"],
            "banner_hash": config["banner_hash"],
            "language": config["language"],
            "previous": self.token,
            "idempotency_key": str(uuid4()),
            "mechanism": "banner",
        }
        return {**body, **members}

    def decide(self, action: str, **members: Any) -> TestResponse:
        """Send a decision and remember the token, as the script does on 201 alone."""
        response = self.post("/v1/decisions", self.decision(action, **members))
        if response.status_code == 201:
            self.token = response.get_json()["token"]
            self.receipt_id = response.get_json()["receipt_id"]
        return response

    def accept(self, **members: Any) -> TestResponse:
        """Grant every purpose."""
        return self.decide("accept_all", **members)

    def refuse(self, **members: Any) -> TestResponse:
        """Refuse every purpose."""
        return self.decide("refuse_all", **members)

    def withdraw(self, **members: Any) -> TestResponse:
        """Withdraw what was granted; the refusal's token takes the place of the old one."""
        body = {
            "site": self.site_key,
            "token": self.token,
            "purposes": None,
            "erase": True,
            "idempotency_key": str(uuid4()),
            "mechanism": "preferences",
            "language": "fr",
        }
        response = self.post("/v1/withdrawals", {**body, **members})
        if response.status_code == 200:
            self.token = response.get_json()["token"]
        return response

    def event(self, path: str = "/", **members: Any) -> dict[str, Any]:
        """Write one event: a pageview of a path of the page's origin, unless `members` say otherwise."""
        return {"id": str(uuid4()), "name": "pageview", "url": f"{self.origin}{path}", "age_ms": 0, **members}

    def send(self, *events: Any, **members: Any) -> TestResponse:
        """Send events under the token held."""
        return self.post("/v1/events", {"site": self.site_key, "token": self.token, "events": list(events), **members})

    def pageview(self, path: str = "/", **members: Any) -> TestResponse:
        """Send one pageview of a path."""
        return self.send(self.event(path, **members))
