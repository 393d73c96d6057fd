"""Show the console: the sites of whoever is logged in, and one page of figures per site."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.wrappers import Response as AnyResponse

from consent_service.console import anchors, assets, consents, entrance, notices, receipts, records
from consent_service.console.auth import (
    FORM_TOKEN,
    FormRefused,
    NotLoggedIn,
    add_headers,
    check_form,
    current_user,
    form_token,
    refuse_nul,
    remember_form,
    require_site,
    require_user,
)
from consent_service.console.basis import purposes_of, versions_within
from consent_service.console.chart import decisions_chart, visitors_chart
from consent_service.console.few import viewer_figures
from consent_service.console.funnel import load_funnel
from consent_service.console.numbers import breakdowns, first_event_at, series, totals
from consent_service.console.people import Role, User, visible_sites
from consent_service.console.spans import CUSTOM, NAMES, TODAY, VIEWER_NAMES, BadSpan, Span, choose_span, named_span
from consent_service.console.wording import count_text, percent_text
from consent_service.errors import NotFound, ServiceError, Unavailable
from consent_service.services import services
from consent_service.sites.access import SMALLEST_CELL
from consent_service.sites.registry import Site
from consent_service.sites.snippet import write_snippet

log = logging.getLogger("consent_service")

bp = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")
bp.before_request(refuse_nul)
bp.before_request(lambda: check_form() if request.method == "POST" else None)
bp.after_request(remember_form)
bp.after_request(add_headers)

DEFAULT_SPAN = "28d"


@bp.get("/")
def home() -> AnyResponse:
    """List the sites of whoever is logged in; with one there is nothing to choose."""
    person = require_user()
    sites = visible_sites(person, services().sites.all())
    if len(sites) == 1:
        return redirect(url_for("console.site", key=sites[0].key), 303)
    return make_response(render_template("console/sites.html", sites=sites))


@bp.get("/sites/<key>")
def site(key: str) -> AnyResponse:
    """Show a site's figures for a period, and what visitors decided."""
    person = require_user()
    shown, parts = require_site(key, person), services()
    publication = parts.publications.of(shown)
    first_at = first_event_at(parts.reader, shown)
    span, problem = _span(shown, person, first_at is not None)
    return make_response(
        render_template(
            "console/site.html",
            site=shown,
            span=span,
            problem=problem,
            names=NAMES if person.may(Role.ANALYST) else VIEWER_NAMES,
            custom=CUSTOM,
            publication=publication,
            snippet=write_snippet(shown, services().config.public_url),
            has_events=first_at is not None,
            purposes=[] if publication is None else purposes_of(publication.current.policy, shown.settings),
            versions=[] if publication is None else versions_within(publication, span.period),
            **_figures(shown, person, span),
        ),
        422 if problem else 200,
    )


entrance.add_routes(bp)
assets.add_routes(bp)
consents.add_routes(bp)
records.add_routes(bp)
receipts.add_routes(bp)
notices.add_routes(bp)
anchors.add_routes(bp)


@bp.route("/<path:rest>", methods=["GET", "POST"])
def nothing(rest: str) -> AnyResponse:
    """Say that a page is not there, as a page."""
    raise NotFound("there is no such page in the console")


@bp.context_processor
def shared() -> dict[str, Any]:
    """Give every template of the console the person, their sites and the means to write links, forms and numbers."""
    return {
        "current_user": current_user,
        "form_token": form_token,
        "FORM_TOKEN": FORM_TOKEN,
        "asset_url": assets.asset_url,
        "my_sites": _my_sites,
        "count": count_text,
        "percent": percent_text,
        "Role": Role,
    }


@bp.errorhandler(NotLoggedIn)
def ask_to_log_in(error: NotLoggedIn) -> AnyResponse:
    """Send whoever is not logged in to the login form."""
    return redirect(url_for("console.login"), 303)


@bp.errorhandler(FormRefused)
def refuse_form(error: FormRefused) -> AnyResponse:
    """Say that a form came from elsewhere, or too late."""
    return _error_page(
        403,
        "This form is no longer valid",
        "The page was open for too long, or the form came from another site. Nothing was changed. "
        "Open the page anew and try again.",
    )


@bp.errorhandler(ServiceError)
def refuse(error: ServiceError) -> AnyResponse:
    """Show an error as a page; a store that is down is a matter of minutes and says so."""
    if error.status == 503:
        log.warning("the console cannot reach a store: %s", error.message)
        heading = "The figures cannot be read right now"
        text = "The store does not answer. Decisions and events go on being recorded; load this page again in a moment."
    else:
        headings = {
            403: "This page is not for your role",
            404: "There is no such page",
            429: "Too many are logging in right now",
        }
        heading, text = headings.get(error.status, "This did not work"), f"{error.message}."
    response = _error_page(error.status, heading, text)
    response.headers.extend(error.headers)
    return response


@bp.errorhandler(OperationalError)
@bp.errorhandler(PoolTimeout)
def database_down(error: Exception) -> AnyResponse:
    """Say that the main database does not answer."""
    return refuse(Unavailable(f"the main database does not answer ({type(error).__name__})"))


def _error_page(status: int, heading: str, text: str) -> Response:
    return make_response(render_template("console/error.html", heading=heading, text=text), status)


def _my_sites() -> list[Site]:
    person = current_user()
    return [] if person is None else visible_sites(person, services().sites.all())


def _span(site: Site, person: User, has_events: bool) -> tuple[Span, str]:
    now, zone = services().now(), site.settings.timezone
    if not person.may(Role.ANALYST):
        # From two stretches that differ by a day or a minute a viewer could work out that alone, however small it is.
        name = request.args.get("period", DEFAULT_SPAN)
        return named_span(name if name in VIEWER_NAMES else DEFAULT_SPAN, now, zone), ""
    # A new site has nothing before today; its first visitor should not have to look for the page's first number.
    default = DEFAULT_SPAN if has_events else TODAY
    try:
        return choose_span(request.args, now, zone, default), ""
    except BadSpan as error:
        return named_span(default, now, zone), str(error)


def _figures(site: Site, person: User, span: Span) -> dict[str, Any]:
    """Give the page's numbers, as far as the person's role may see them."""
    parts = services()
    reader, now = parts.reader, parts.now()
    funnel = load_funnel(parts.engine, site, span, now)
    if not person.may(Role.ANALYST):
        return {"smallest_cell": SMALLEST_CELL, **viewer_figures(reader, site, span, funnel, now)}
    return {
        "sees_cells": True,
        "totals": totals(reader, site, span.period, span.before),
        "chart": visitors_chart(series(reader, site, span.period)),
        "breakdowns": breakdowns(reader, site, span.period),
        "funnel": funnel,
        "withdrawn": count_text(funnel.withdrawn),
        "decisions": decisions_chart(funnel.days),
    }
