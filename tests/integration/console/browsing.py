"""Somebody with a browser of their own at the console."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_service.console.people import User

PASSWORD = "a few words make a good one"
ORIGIN = "http://localhost"


@dataclass(slots=True)
class Person:
    """Hold somebody with a browser of their own."""

    user: User
    client: FlaskClient

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page."""
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def submit(self, path: str, page: TestResponse | None = None, **fields: str) -> TestResponse:
        """Fill in the form of a page and send it, as a browser does."""
        shown = self.get(path) if page is None else page
        data = {"form_token": form_token(shown), **fields}
        return self.client.post(path, data=data, headers={"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"})

    def log_in(self, password: str = PASSWORD, email: str = "") -> TestResponse:
        """Log in by the form."""
        return self.submit("/console/login", email=email or self.user.email, password=password)


def form_token(page: TestResponse) -> str:
    """Find the token of a page's first form."""
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page.text)
    assert found is not None, page.text
    return found.group(1)


def text_of(page: TestResponse) -> str:
    """Give what a page says, without its tags."""
    body = re.sub(r"(?s)<script.*?</script>", " ", page.text)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


PersonMaker = Callable[..., Person]
