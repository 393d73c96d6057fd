"""What fails in a write is told to whoever asked for it, and the next write goes on."""

import pytest
from sqlalchemy import Connection, Engine, event, text

from consent_service.core import Core
from tests.integration.conftest import DATABASES

pytestmark = [pytest.mark.parametrize("database", DATABASES, indirect=True), pytest.mark.timeout(60)]


def count_sites(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM site")).scalar_one())


@pytest.mark.parametrize("failure", [OSError("no space left"), RuntimeError("not of the database"), SystemExit(3)])
def test_a_commit_that_fails_for_another_reason_than_the_database_ends_no_later_write(
    core: Core, failure: BaseException
) -> None:
    def fail(connection: Connection) -> None:
        raise failure

    event.listen(core.engine, "commit", fail)
    with pytest.raises(type(failure)):
        core.writer.run(count_sites)
    event.remove(core.engine, "commit", fail)
    assert core.writer.run(count_sites) >= 0


def test_a_connection_that_cannot_be_had_ends_no_later_write(core: Core) -> None:
    def fail(engine: Engine) -> None:
        raise PermissionError("the file is somebody else's")

    core.writer.run(count_sites)
    core.engine.dispose()
    event.listen(core.engine, "engine_connect", fail)
    with pytest.raises(PermissionError):
        core.writer.run(count_sites)
    event.remove(core.engine, "engine_connect", fail)
    assert core.writer.run(count_sites) >= 0


def test_work_that_fails_is_undone_and_raised(core: Core) -> None:
    def spoil(connection: Connection) -> None:
        connection.execute(text("DELETE FROM revision"))
        raise KeyError("half done")

    before = core.writer.run(lambda connection: connection.execute(text("SELECT count(*) FROM revision")).scalar_one())
    with pytest.raises(KeyError):
        core.writer.run(spoil)
    after = core.writer.run(lambda connection: connection.execute(text("SELECT count(*) FROM revision")).scalar_one())
    assert before == after
