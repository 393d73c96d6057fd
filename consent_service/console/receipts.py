"""Let privacy officers act on a visitor's request: hold, lift, erase, and a link to the copy of their data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from sqlalchemy import Connection, select
from werkzeug.wrappers import Response as AnyResponse

from consent_service.consent.copy_link import TYPES, make_link
from consent_service.consent.erasure import certificate_url, find_erasure
from consent_service.consent.hold import (
    MAX_REASON,
    Hold,
    HoldError,
    HoldKind,
    holds_of,
    lift_hold,
    list_holds,
    new_hold,
    place_hold,
)
from consent_service.consent.rights import erase_receipt
from consent_service.console.auth import require_site, require_user
from consent_service.console.forms import HoldForm
from consent_service.console.people import Role, User
from consent_service.console.records import ACTIONS, list_of_receipt
from consent_service.db.tables import hold as hold_table
from consent_service.db.tables import receipt
from consent_service.errors import NotFound
from consent_service.services import services
from consent_service.sites.registry import Site

KINDS = {HoldKind.LEGAL: "Legal hold", HoldKind.RESTRICTION: "Restriction"}
# As many of each as one page can be read with; the commands list them all.
ROWS = 500


def add_routes(bp: Blueprint) -> None:
    """Add the routes of this module to the console."""
    of_receipt = "/sites/<key>/receipts/<receipt_id>"
    bp.add_url_rule(of_receipt, view_func=receipt_page)
    bp.add_url_rule(f"{of_receipt}/hold", view_func=hold, methods=["POST"])
    bp.add_url_rule(f"{of_receipt}/erase", view_func=erase, methods=["POST"])
    bp.add_url_rule(f"{of_receipt}/link", view_func=copy_link, methods=["POST"])
    bp.add_url_rule("/sites/<key>/holds", view_func=holds)
    bp.add_url_rule("/sites/<key>/holds/<hold_id>/lift", view_func=lift, methods=["POST"])


def receipt_page(key: str, receipt_id: str) -> AnyResponse:
    """Show what was decided under a receipt, what holds or erases its data, and what can be done."""
    _, site = _officer(key)
    return _page(site, receipt_id, HoldForm())


def hold(key: str, receipt_id: str) -> AnyResponse:
    """Hold a receipt's data because of a legal claim or because the visitor asked."""
    person, site = _officer(key)
    form = HoldForm(request.form)
    if not form.validate():
        return _page(site, receipt_id, form, 422)
    now = services().now()
    day = form.until.data
    # The day that is named is the last one, as a whole, in UTC as everything in the log.
    until = None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    wanted = new_hold(
        site.site_id,
        receipt_id,
        form.reason.data or "",
        person.email,
        now,
        kind=HoldKind.RESTRICTION if form.is_wish.data else HoldKind.LEGAL,
        until=until,
    )
    try:
        services().writer.run(lambda connection: place_hold(connection, wanted))
    except HoldError as error:
        return _page(site, receipt_id, form, 422, problem=str(error))
    return _back(site, receipt_id)


def lift(key: str, hold_id: str) -> AnyResponse:
    """End a hold of the site; what waited for nothing else is erased within a minute."""
    person, site = _officer(key)
    parts = services()

    def change(connection: Connection) -> Hold:
        of_it = select(hold_table.c.site_id).where(hold_table.c.hold_id == hold_id)
        if connection.execute(of_it).scalar() != site.site_id:
            raise NotFound("there is no such hold at this site")
        return lift_hold(connection, hold_id, person.email, parts.now())

    try:
        lifted = parts.writer.run(change)
    except HoldError:
        # Somebody else, or its last day, was faster; what was wanted is so.
        return redirect(url_for("console.holds", key=site.key), 303)
    if lifted.receipt_id is not None and "receipt" in request.form:
        return _back(site, lifted.receipt_id)
    return redirect(url_for("console.holds", key=site.key), 303)


def erase(key: str, receipt_id: str) -> AnyResponse:
    """Erase a receipt's events, with its records if that is ticked; nothing happens without the confirmation."""
    person, site = _officer(key)
    if "confirmed" not in request.form:
        problem = "Tick that the visitor's data is to be erased; it cannot be brought back"
        return _page(site, receipt_id, HoldForm(), 422, erase_problem=problem)
    parts, with_records = services(), "records" in request.form

    def change(connection: Connection) -> bool:
        _require_receipt(connection, site, receipt_id)
        erase_receipt(connection, site, receipt_id, person.email, parts.now(), with_records=with_records)
        return _is_there(connection, site, receipt_id)

    if parts.writer.run(change):
        return _back(site, receipt_id)
    return redirect(url_for("console.decisions", key=site.key), 303)


def copy_link(key: str, receipt_id: str) -> AnyResponse:
    """Make the link of ten minutes to the copy of everything that is stored under a receipt."""
    person, site = _officer(key)
    parts = services()

    def change(connection: Connection) -> str:
        _require_receipt(connection, site, receipt_id)
        return make_link(connection, parts.signer, site, receipt_id, person.email, parts.now())

    path = f"{parts.config.public_url.rstrip('/')}{parts.writer.run(change)}"
    return _page(site, receipt_id, HoldForm(), links={format: f"{path}/{format}" for format in TYPES})


def holds(key: str) -> AnyResponse:
    """List what is held of a site, the newest first."""
    _, site = _officer(key)
    with services().engine.connect() as connection:
        listed = list_holds(connection, site.site_id)[:ROWS]
    return make_response(render_template("console/holds.html", site=site, holds=listed, kinds=KINDS))


def _officer(key: str) -> tuple[User, Site]:
    person = require_user(Role.PRIVACY_OFFICER)
    return person, require_site(key, person)


def _page(
    site: Site,
    receipt_id: str,
    form: HoldForm,
    status: int = 200,
    *,
    problem: str = "",
    erase_problem: str = "",
    links: dict[str, str] | None = None,
) -> AnyResponse:
    parts = services()
    with parts.engine.connect() as connection:
        _require_receipt(connection, site, receipt_id)
        records = list_of_receipt(connection, site.site_id, receipt_id, ROWS)
        standing = holds_of(connection, site.site_id, receipt_id)
        erasure = find_erasure(connection, receipt_id)
    page = render_template(
        "console/receipt.html",
        site=site,
        receipt_id=receipt_id,
        records=records,
        actions=ACTIONS,
        holds=standing,
        kinds=KINDS,
        erasure=erasure,
        certificate=None if erasure is None else certificate_url(erasure, parts.signer),
        form=form,
        longest=MAX_REASON,
        problem=problem,
        erase_problem=erase_problem,
        links=links or {},
    )
    return make_response(page, status)


def _back(site: Site, receipt_id: str) -> AnyResponse:
    return redirect(url_for("console.receipt_page", key=site.key, receipt_id=receipt_id), 303)


def _require_receipt(connection: Connection, site: Site, receipt_id: str) -> None:
    if not _is_there(connection, site, receipt_id):
        raise NotFound("there is no such receipt at this site; it may have been erased with its records")


def _is_there(connection: Connection, site: Site, receipt_id: str) -> bool:
    of_it = select(receipt.c.receipt_id).where(receipt.c.receipt_id == receipt_id, receipt.c.site_id == site.site_id)
    return connection.execute(of_it).first() is not None
