"""The web server's own lines say where something failed, and nothing of the request it failed for."""

from __future__ import annotations

import pytest
from gunicorn.config import Config

from consent_service.serve.logs import QuietLogger


def test_an_error_of_a_request_is_told_by_its_place_alone(capfd: pytest.CaptureFixture[str]) -> None:
    logger = QuietLogger(Config())
    try:
        int("a secret of the body")
    except ValueError:
        logger.exception("Error handling request %s %s", "POST", "/a-secret-path?q=1")
    written = capfd.readouterr().err
    assert "ValueError" in written
    assert "test_logs.py" in written
    assert "/a-secret-path" not in written
    assert "a secret of the body'" not in written


def test_other_warnings_are_kept(capfd: pytest.CaptureFixture[str]) -> None:
    QuietLogger(Config()).warning("Worker %s was killed", 7)
    assert "Worker 7 was killed" in capfd.readouterr().err
