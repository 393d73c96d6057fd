"""Somebody whose browser runs no scripts: opens pages, ticks boxes, presses buttons, keeps cookies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from werkzeug.test import TestResponse

from consent_service.web import FORM_TYPE

OWN = "https://nouvelles.example"
FOREIGN = "https://consent.example"


@dataclass
class PageForm:
    """Hold one form of a page: where it goes, its hidden fields, its boxes with their state, its buttons."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    boxes: dict[tuple[str, str], bool] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class Forms(HTMLParser):
    """Collect the forms of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[PageForm] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert given["method"] == "post"
            self.found.append(PageForm(given["action"]))
        elif tag == "input" and given["type"] == "hidden":
            self.found[-1].fields.append((given["name"], given["value"]))
        elif tag == "input":
            self.found[-1].boxes[given["name"], given["value"]] = "checked" in given
        elif tag == "button":
            self.found[-1].buttons[given["data-action"]] = (given["name"], given["value"])


class Reader:
    """Hold a browser of its own at one host of the service."""

    def __init__(self, app: Flask, key: str, origin: str = OWN) -> None:
        self.client = app.test_client()
        self.key = key
        self.origin = origin

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page by its address; `headers` with `_` for `-` come on top."""
        return self.client.get(path, base_url=self.origin, headers={"Sec-Fetch-Site": "none", **_named(headers)})

    def banner(self, **headers: str) -> TestResponse:
        """Open the banner."""
        return self._shown(self.get(f"/banner/{self.key}?lang=en", **headers))

    def my(self, **headers: str) -> TestResponse:
        """Open the visitor's own page."""
        return self._shown(self.get(f"/my/{self.key}?lang=en", **headers))

    def press(
        self,
        page: TestResponse,
        button: str,
        *,
        tick: tuple[str, ...] = (),
        untick: tuple[str, ...] = (),
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> TestResponse:
        """Press a button of a page, with boxes ticked and unticked by their values; gives what answers."""
        form = next(each for each in Forms(page.text).found if button in each.buttons)
        boxes = [box for box, is_on in form.boxes.items() if (is_on or box[1] in tick) and box[1] not in untick]
        return self.send(form.action, [*form.fields, *boxes, form.buttons[button]], headers)

    def send(self, path: str, fields: Any, headers: Mapping[str, str] = MappingProxyType({})) -> TestResponse:
        """Send a form as a page of this host does, whatever is in it."""
        sent = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", **headers}
        return self.client.post(
            path, base_url=self.origin, data=urlencode(fields), headers=sent, content_type=FORM_TYPE
        )

    def choose(self, button: str, **choices: Any) -> TestResponse:
        """Press a button of the banner and go where the answer leads."""
        answer = self.press(self.banner(), button, **choices)
        assert answer.status_code == 303, answer.text
        return self._shown(self.get(answer.headers["Location"], Sec_Fetch_Site="same-origin"))

    def act(self, button: str, **choices: Any) -> TestResponse:
        """Press a button of the own page and go where the answer leads."""
        answer = self.press(self.my(), button, **choices)
        assert answer.status_code == 303, answer.text
        return self._shown(self.get(answer.headers["Location"], Sec_Fetch_Site="same-origin"))

    def cookie(self, name: str) -> str | None:
        """Give the value of a cookie the browser holds."""
        held = self.client.get_cookie(name, domain=self.origin.removeprefix("https://"))
        return None if held is None else held.value

    @property
    def token(self) -> str | None:
        """Give the token of the site's own cookie."""
        return self.cookie(f"__Host-consent-{self.key}")

    @property
    def session(self) -> str | None:
        """Give the cookie of the ten minutes."""
        return self.cookie(f"__Host-consent-my-{self.key}")

    @staticmethod
    def _shown(page: TestResponse) -> TestResponse:
        assert page.status_code == 200, page.text
        assert page.mimetype == "text/html"
        return page


def said(page: TestResponse) -> str:
    """Give what a page says, without its tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.text.partition("<main>")[2]))).strip()


def buttons(page: TestResponse) -> list[str]:
    """Give the buttons of a page by their names, in order."""
    return [name for form in Forms(page.text).found for name in form.buttons]


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
