"""The hosted privacy page speaks the reader's language."""

import pytest
from flask.testing import FlaskClient

from consent_service.sites.registry import Site


@pytest.mark.parametrize(
    ("asked", "accepted", "given"),
    [
        ("", "", "fr"),
        ("", "de, es-MX;q=0.8, en;q=0.5", "es"),
        ("", "es;q=0, en-GB;q=0.5", "en"),
        ("", "de, *;q=0.1", "fr"),
        ("es", "en", "es"),
        ("xx", "en", "fr"),
    ],
)
def test_the_page_is_in_the_language_asked_for_or_accepted(
    client: FlaskClient, site: Site, asked: str, accepted: str, given: str
) -> None:
    query = {"lang": asked} if asked else {}
    headers = {"Accept-Language": accepted} if accepted else {}
    answer = client.get(f"/privacy/{site.key}", query_string=query, headers=headers)
    assert answer.status_code == 200
    assert f'<html lang="{given}" dir="ltr">' in answer.text
    assert "Accept-Language" in answer.headers["Vary"]
    data = client.get(f"/privacy/{site.key}.json", query_string=query, headers=headers)
    assert data.get_json()["language"] == given
    assert "Accept-Language" in data.headers["Vary"]
