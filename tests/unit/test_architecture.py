"""The code keeps its shape, and the rules that say so can fail."""

import pytest

from tests.architecture import ALLOWED, MAX_FILE_LINES, breaches, long_file, sources

LONG_FUNCTION = "def long():\n" + "    pass\n" * 45

PLANTED = [
    ("db/engine.py", "from consent_service.sites.registry import Registry", "db must not import sites"),
    ("db/engine.py", "def late():\n    import consent_service.consent.gate", "db must not import consent"),
    ("db/engine.py", "from ..sites import registry", "db must not import sites"),
    (
        "sites/registry.py",
        "from consent_service.consent.policy import Policy",
        "sites must not import consent",
    ),
    ("ledger/tree.py", "from consent_service import consent", "ledger must not import consent"),
    (
        "consent/record.py",
        "from consent_service.collect.device import Device",
        "consent must not import collect",
    ),
    ("consent/record.py", "from consent_service.app import Services", "consent must not import app"),
    (
        "collect/pipeline.py",
        "from consent_service.events.store import Store",
        "collect must not import events",
    ),
    ("stats/runner.py", "from consent_service.serve import keeper", "stats must not import serve"),
    ("export/rows.py", "from consent_service.consent.gate import Grant", "export must not import consent"),
    ("events/store.py", "from consent_service.consent.gate import check", "events must not import consent"),
    ("events/store.py", "from consent_service.consent import gate", "events must not import consent"),
    ("events/store.py", "from consent_service.consent.tokens import Grant", "events must not import consent"),
    ("config.py", "from consent_service.db.engine import make_engine", "config must not import db"),
    ("errors.py", "from consent_service.stats import query", "errors must not import stats"),
    (
        "browser/device.py",
        "from consent_service.consent.gate import check",
        "browser must not import consent",
    ),
    ("web.py", "from consent_service.collect.inbox import Inbox", "web must not import collect"),
    ("events/store.py", "from consent_service.web import json_response", "events must not import web"),
    ("services.py", "from consent_service.db.writer import Writer", "services must not import db"),
    (
        "collect/pipeline.py",
        "from consent_service.services import services",
        "only what answers requests may import",
    ),
    (
        "stats/sql.py",
        "if TYPE_CHECKING:\n    from consent_service.serve import keeper",
        "must not import serve",
    ),
    ("consent/policy.py", "from sqlalchemy import text", "must not import sqlalchemy"),
    ("consent/policy_rules.py", "import flask.json", "must not import flask"),
    ("consent/banner.py", "import itsdangerous", "must not import itsdangerous"),
    ("stats/query.py", "from consent_service.db import tables", "must not import consent_service.db"),
    ("collect/pipeline.py", "grant = Grant(1)", "only the gate constructs"),
    ("events/store.py", "gate.Grant(site_id=1)", "only the gate constructs"),
    ("events/store.py", "dataclasses.replace(grant, visitor_id=2)", "never altered"),
    ("consent/withdrawal.py", "connection.execute(insert(decision).values(x=1))", "writes decisions"),
    ("consent/withdrawal.py", "connection.execute(pg_insert(tables.decision))", "writes decisions"),
    ("consent/withdrawal.py", "connection.execute(tables.decision.update())", "writes decisions"),
    ("demo/fill.py", "connection.execute(decision.insert(), rows)", "writes decisions"),
    ("demo/fill.py", "connection.execute(text('INSERT INTO decision VALUES (1)'))", "writes decisions"),
    ("cli/erase.py", "store.erase(job)", "calls .erase()"),
    ("collect/routes.py", "services.store.apply(batch)", "calls .apply()"),
    ("cli/retention.py", "store.retain(before)\nstore.compact()", "calls .compact()"),
    ("serve/sweep.py", "keeper.store.compact()", "calls .compact()"),
    ("collect/device.py", "try:\n    pass\nexcept Exception:\n    pass", "catches everything"),
    ("collect/device.py", "try:\n    pass\nexcept:\n    pass", "catches everything"),
    ("collect/device.py", "try:\n    pass\nexcept (OSError, BaseException):\n    pass", "catches everything"),
    ("collect/device.py", "try:\n    pass\nexcept Exception:\n    raise ValueError", "catches everything"),
    ("stats/utils.py", "", "says nothing"),
    ("stats/helpers/dates.py", "", "says nothing"),
    ("stats/sql.py", LONG_FUNCTION, "long has 46 lines"),
]

HARMLESS = [
    ("events/store.py", "from consent_service.consent.gate import Grant"),
    ("consent/gate.py", "grant = Grant(1)"),
    ("consent/record.py", "connection.execute(insert(decision))"),
    ("consent/withdrawal.py", "connection.execute(insert(decision_count))"),
    ("consent/withdrawal.py", "connection.execute(delete(decision))"),
    ("consent/policy.py", "from consent_service.problems import Problem"),
    ("serve/keeper.py", "store.apply(batch)"),
    ("cli/retention.py", "self.keeper.compact()"),
    ("cli/serve.py", "from consent_service.serve import keeper\nfrom consent_service.app import create_app"),
    ("collect/routes.py", "from consent_service.config import Config"),
    ("events/duckdb.py", "try:\n    pass\nexcept BaseException:\n    undo()\n    raise"),
    ("services.py", "if TYPE_CHECKING:\n    from consent_service.db.writer import Writer"),
    ("collect/routes.py", "import flask\nfrom consent_service.services import services"),
    ("consent/acts.py", "from consent_service.browser.sender import Sender"),
    ("web.py", "import flask\nfrom consent_service.services import services"),
    ("app.py", "from consent_service.services import Services"),
    ("stats/sql.py", "\n".join(LONG_FUNCTION.splitlines()[:-1])),
]


@pytest.mark.parametrize(("path", "source", "message"), PLANTED)
def test_a_planted_breach_is_found(path: str, source: str, message: str) -> None:
    found = breaches(f"consent_service/{path}", source)
    assert len([breach for breach in found if message in breach]) == 1, found


@pytest.mark.parametrize(("path", "source"), HARMLESS)
def test_what_is_allowed_is_let_through(path: str, source: str) -> None:
    assert breaches(f"consent_service/{path}", source) == []


def test_a_file_that_is_too_long_is_found() -> None:
    assert long_file("a.css", "a {}\n" * MAX_FILE_LINES) is None
    assert long_file("a.css", "a {}\n" * (MAX_FILE_LINES + 1)) is not None


def test_the_code_keeps_every_rule() -> None:
    found = [breach for path, text in sources() if path.endswith(".py") for breach in breaches(path, text)]
    assert found == []


def test_no_file_is_too_long() -> None:
    assert [breach for path, text in sources() if (breach := long_file(path, text))] == []


def test_the_rules_speak_of_parts_that_exist() -> None:
    paths = {path for path, _ in sources()}
    assert "consent_service/consent/gate.py" in paths
    parts = {path.split("/")[1].removesuffix(".py") for path in paths if path.startswith("consent_service/")}
    assert parts >= set(ALLOWED) - {"ledger"}
