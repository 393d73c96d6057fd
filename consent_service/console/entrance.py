"""Let people in and out: login, one-time links, logout."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from consent_service.browser.sender import limit_rate, read_sender
from consent_service.console.auth import (
    cookie_name,
    current_user,
    drop_cookie,
    is_transport_safe,
    set_cookie,
)
from consent_service.console.forms import LoginForm, PasswordForm
from consent_service.console.logins import begin_login, end_login
from consent_service.console.passwords import check_password, hash_password
from consent_service.console.people import LinkKind, User, find_by_link, set_password, use_link
from consent_service.services import services

# For every failure the same words: they must not tell who has an account, nor whether it is closed for a while.
REFUSED = (
    "This address and password do not go together. "
    "After five wrong passwords an account stays closed for a while, from half a minute up to a quarter of an hour."
)


def add_routes(bp: Blueprint) -> None:
    """Add the routes of this module to the console."""
    bp.add_url_rule("/login", view_func=login, methods=["GET", "POST"])
    bp.add_url_rule("/login/<token>", view_func=link, methods=["GET", "POST"])
    bp.add_url_rule("/logout", view_func=logout, methods=["POST"])


def login() -> AnyResponse:
    """Show the login form, and let in whoever fills it in rightly; a failed login is a 401 with the form again."""
    if request.method == "GET" and current_user() is not None:
        return redirect(url_for("console.home"), 303)
    form = LoginForm(request.form)
    if request.method == "GET":
        return _login_page(form, 200)
    if not form.validate():
        return _login_page(form, 401)
    # A bucket of its own, as large as that of decisions: what it bounds is 64 MiB and a core each.
    limit_rate(read_sender(), "logins", "decisions")
    parts = services()
    person = check_password(parts.writer, form.email.data or "", form.password.data or "", parts.now())
    if person is None:
        return _login_page(form, 401, REFUSED)
    return _let_in(person)


def link(token: str) -> AnyResponse:
    """Show what a one-time link does, and do it on its button: opening the page spends nothing."""
    parts = services()
    with parts.engine.connect() as connection:
        found = find_by_link(connection, token, parts.now())
    if found is None:
        if current_user() is not None:
            return redirect(url_for("console.home"), 303)
        return make_response(render_template("console/link_gone.html"), 410)
    person, kind = found
    if kind is LinkKind.LOGIN:
        return _one_time_login(person, token)
    return _setup(person, token)


def logout() -> AnyResponse:
    """End the login, here and in the browser."""
    value, parts = request.cookies.get(cookie_name(), ""), services()
    parts.writer.run(lambda connection: end_login(connection, value))
    response = redirect(url_for("console.login"), 303)
    drop_cookie(response)
    return response


def _one_time_login(person: User, token: str) -> AnyResponse:
    if request.method == "GET":
        return make_response(render_template("console/link.html", person=person, safe=is_transport_safe()))
    parts = services()
    spent = parts.writer.run(lambda connection: use_link(connection, token, LinkKind.LOGIN, parts.now()))
    if spent is None:
        return make_response(render_template("console/link_gone.html"), 410)
    return _let_in(spent)


def _setup(person: User, token: str) -> AnyResponse:
    form = PasswordForm(request.form, email=person.email)
    if request.method == "GET" or not form.validate():
        status = 200 if request.method == "GET" else 422
        page = render_template("console/setup.html", person=person, form=form, safe=is_transport_safe())
        return make_response(page, status)
    parts, hashed = services(), hash_password(form.password.data or "")
    owner = parts.writer.run(lambda connection: set_password(connection, token, hashed, parts.now()))
    if owner is None:
        return make_response(render_template("console/link_gone.html"), 410)
    return _let_in(owner)


def _login_page(form: LoginForm, status: int, problem: str = "") -> Response:
    page = render_template("console/login.html", form=form, problem=problem, safe=is_transport_safe())
    return make_response(page, status)


def _let_in(person: User) -> AnyResponse:
    parts, old = services(), request.cookies.get(cookie_name(), "")

    def change(connection: Connection) -> str:
        end_login(connection, old)
        return begin_login(connection, person, parts.now())

    value = parts.writer.run(change)
    response = redirect(url_for("console.home"), 303)
    set_cookie(response, value)
    return response
