"""Getting in and out of the console."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from consent_service.console.people import (
    Role,
    add_user,
    find_by_email,
    list_users,
    one_time_login,
    reset_user,
)
from consent_service.core import Core
from consent_service.db.tables import login, user
from consent_service.errors import Conflict, Invalid, NotFound
from tests.integration.clock import Clock
from tests.integration.conftest import DATABASES
from tests.integration.console.browsing import ORIGIN, PASSWORD, Person, PersonMaker, form_token, text_of

SAME_WORDS = "do not go together"


def _stored(core: Core) -> str:
    """Give everything the user and login tables hold, as one text."""
    with core.engine.connect() as connection:
        rows = [*connection.execute(select(user)), *connection.execute(select(login))]
    return repr(rows)


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_the_right_password_lets_in_with_a_new_random_cookie_of_which_only_a_hash_is_stored(
    somebody: PersonMaker, core: Core
) -> None:
    person = somebody(is_in=False)
    person.get("/console/login")
    before = person.client.get_cookie("consent-console")
    response = person.log_in()
    assert (response.status_code, response.location) == (303, "/console/")
    cookie = person.client.get_cookie("consent-console")
    assert before is not None
    assert cookie is not None
    assert cookie.value != before.value
    assert len(cookie.value) >= 43
    assert cookie.value not in _stored(core)
    assert PASSWORD not in _stored(core)
    assert person.get("/console/").status_code == 303


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(somebody: PersonMaker) -> None:
    sent = somebody(is_in=False).log_in().headers["Set-Cookie"]
    assert sent.startswith("consent-console=")
    assert "HttpOnly" in sent
    assert "SameSite=Lax" in sent
    assert "Path=/" in sent
    assert "Domain" not in sent
    assert "Secure" not in sent  # plain http on loopback, where a browser would not keep it


def test_everywhere_but_on_plain_loopback_the_cookie_is_a_secure_host_cookie(somebody: PersonMaker) -> None:
    person = somebody(is_in=False)
    page = person.client.get("/console/login", base_url="https://consent.example")
    assert page.headers["Set-Cookie"].startswith("__Host-consent-console=")
    assert "Secure" in page.headers["Set-Cookie"]
    assert "needs HTTPS" not in page.text
    assert "needs HTTPS" in person.client.get("/console/login", base_url="http://consent.example").text


def test_wrong_passwords_and_unknown_people_get_the_same_401_with_the_form_again(somebody: PersonMaker) -> None:
    person = somebody(is_in=False)
    wrong = person.log_in(password="not the one it is")
    unknown = person.log_in(email="nobody@example.org")
    assert wrong.status_code == unknown.status_code == 401
    assert SAME_WORDS in text_of(wrong)
    assert text_of(wrong) == text_of(unknown)
    assert form_token(wrong) == form_token(unknown)
    assert person.get("/console/").location == "/console/login"


def test_an_empty_form_is_a_401_that_says_what_is_missing(somebody: PersonMaker) -> None:
    response = somebody(is_in=False).submit("/console/login", email="", password="")
    assert response.status_code == 401
    assert "Enter your password." in response.text


def test_five_wrong_passwords_close_the_account_even_for_the_right_one_until_the_wait_is_over(
    somebody: PersonMaker, now: Clock
) -> None:
    person = somebody(is_in=False)
    for _ in range(5):
        assert person.log_in(password="wrong and wrong again").status_code == 401
    assert person.log_in().status_code == 401
    now.move(seconds=29)
    assert person.log_in().status_code == 401
    now.move(seconds=2)
    assert person.log_in(password="wrong for the sixth time").status_code == 401
    now.move(seconds=59)
    assert person.log_in().status_code == 401
    now.move(seconds=2)
    assert person.log_in().status_code == 303


def test_success_begins_the_count_of_failures_anew(somebody: PersonMaker) -> None:
    person = somebody(is_in=False)
    for _ in range(3):
        for _ in range(4):
            person.log_in(password="wrong and wrong again")
        assert person.log_in().status_code == 303
        person.client.delete_cookie("consent-console")


def test_half_an_hour_of_silence_ends_a_login(somebody: PersonMaker, now: Clock) -> None:
    person = somebody()
    for _ in range(4):
        now.move(minutes=29)
        assert person.get("/console/").location != "/console/login"
    now.move(minutes=31)
    assert person.get("/console/").location == "/console/login"


def test_twelve_hours_end_a_login_however_busy_it_was(somebody: PersonMaker, now: Clock) -> None:
    person = somebody()
    for _ in range(28):
        now.move(minutes=25)
        assert person.get("/console/").location != "/console/login"
    now.move(minutes=25)
    assert person.get("/console/").location == "/console/login"


def test_logging_out_makes_the_cookie_worthless(somebody: PersonMaker) -> None:
    person = somebody()
    cookie = person.client.get_cookie("consent-console")
    assert cookie is not None
    assert person.submit("/console/logout", person.get("/console/nothing")).status_code == 303
    assert person.client.get_cookie("consent-console") is None
    person.client.set_cookie("consent-console", cookie.value)
    assert person.get("/console/").location == "/console/login"


def _stranger(app: Flask, core: Core) -> Person:
    with core.engine.connect() as connection:
        found = find_by_email(connection, "new@example.org")
    assert found is not None
    return Person(found, app.test_client())


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_setup_link_sets_a_password_once_and_only_its_hash_is_stored(app: Flask, core: Core, now: Clock) -> None:
    _, token = core.writer.run(
        lambda connection: add_user(connection, "New@Example.org", Role.ADMIN, [], actor="test", now=now())
    )
    assert token not in _stored(core)
    person = _stranger(app, core)
    assert person.get(f"/console/login/{token}").status_code == 200
    assert person.submit(f"/console/login/{token}", password="short", repeated="short").status_code == 422
    done = person.submit(f"/console/login/{token}", password=PASSWORD, repeated=PASSWORD)
    assert (done.status_code, done.location) == (303, "/console/")
    assert "No site" not in person.get("/console/").text
    later = _stranger(app, core)
    assert later.get(f"/console/login/{token}").status_code == 410
    assert later.log_in().status_code == 303


def test_a_setup_link_ends_after_a_day(app: Flask, core: Core, now: Clock) -> None:
    _, token = core.writer.run(
        lambda connection: add_user(connection, "new@example.org", Role.VIEWER, [], actor="test", now=now())
    )
    now.move(hours=24)
    page = _stranger(app, core).get(f"/console/login/{token}")
    assert page.status_code == 410
    assert "user reset" in page.text


def test_opening_a_one_time_login_spends_nothing_and_its_button_works_once(
    app: Flask, core: Core, somebody: PersonMaker, now: Clock
) -> None:
    owner = somebody(is_in=False, email="new@example.org").user
    token = core.writer.run(lambda connection: one_time_login(connection, owner.user_id, now()))
    for _ in range(3):
        assert app.test_client().get(f"/console/login/{token}").status_code == 200
    first, second = _stranger(app, core), _stranger(app, core)
    waiting = second.get(f"/console/login/{token}")
    assert first.submit(f"/console/login/{token}").status_code == 303
    assert second.submit(f"/console/login/{token}", waiting).status_code == 410
    assert first.get(f"/console/login/{token}").location == "/console/"


def test_a_link_for_logging_in_cannot_be_made_one_for_a_password(
    app: Flask, core: Core, somebody: PersonMaker, now: Clock
) -> None:
    owner = somebody(is_in=False, email="new@example.org").user
    token = core.writer.run(lambda connection: one_time_login(connection, owner.user_id, now()))
    assert app.test_client().get(f"/console/login/{token.replace('login-', 'setup-')}").status_code == 410


def test_a_reset_takes_the_password_and_every_login_away(somebody: PersonMaker, core: Core, now: Clock) -> None:
    person = somebody()
    token = core.writer.run(
        lambda connection: reset_user(connection, person.user.email.upper(), actor="test", now=now())
    )
    assert person.get("/console/").location == "/console/login"
    assert person.log_in().status_code == 401
    words = "and now for something new"
    assert person.submit(f"/console/login/{token}", password=words, repeated=words).status_code == 303


def test_people_are_added_once_with_a_real_address(core: Core, somebody: PersonMaker, now: Clock) -> None:
    somebody(is_in=False, email="anna@example.org")
    with pytest.raises(Conflict):
        core.writer.run(lambda it: add_user(it, "ANNA@example.org ", Role.VIEWER, [], actor="test", now=now()))
    with pytest.raises(Invalid):
        core.writer.run(lambda it: add_user(it, "anna", Role.VIEWER, [], actor="test", now=now()))
    with pytest.raises(NotFound):
        core.writer.run(lambda it: reset_user(it, "berta@example.org", actor="test", now=now()))
    with core.engine.connect() as connection:
        assert [(each.email, each.has_password) for each in list_users(connection)] == [("anna@example.org", True)]
        assert connection.execute(select(func.count()).select_from(user)).scalar() == 1


def test_the_page_after_login_is_never_one_that_the_address_names(somebody: PersonMaker) -> None:
    person = somebody(is_in=False)
    page = person.get("/console/login?next=https://evil.example/&return_to=//evil.example")
    token = form_token(page)
    response = person.client.post(
        "/console/login?next=https://evil.example/",
        data={"form_token": token, "email": person.user.email, "password": PASSWORD, "next": "//evil.example"},
        headers={"Origin": ORIGIN},
    )
    assert response.location == "/console/"
