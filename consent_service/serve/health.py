"""Tell whether the service works, in the forms that load balancers, Prometheus and browsers ask for."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from consent_service.browser.place import client_address
from consent_service.collect.inbox_file import inbox_files
from consent_service.db.tables import site
from consent_service.ledger.lookup import count_waiting
from consent_service.ledger.standing import read_head
from consent_service.services import services
from consent_service.sites.access import Scope
from consent_service.sites.reporting import require_access
from consent_service.sites.settings import Gpc
from consent_service.web import json_response

bp = Blueprint("health", __name__)

# When the statement was made, so that it is read by the specification of that day (GPC specification, section 4).
GPC_STATED = "2026-11-24"


@bp.get("/healthz")
def get_health() -> Response:
    """Say that this worker answers."""
    return json_response({"status": "ok"})


@bp.get("/readyz")
def get_readiness() -> Response:
    """Say whether both stores answer: 200 only when the keeper answers queries."""
    stores = {"database": _is_database_ready(), "events": services().is_keeper_ready()}
    is_ready = all(stores.values())
    status = {"status": "ready" if is_ready else "not_ready", "stores": stores}
    response = json_response(status, 200 if is_ready else 503)
    if not is_ready:
        response.headers["Retry-After"] = "2"
    return response


@bp.get("/metrics")
def get_metrics() -> Response:
    """Give what Prometheus reads, to loopback or with a token."""
    address = client_address(request.remote_addr, None, ())
    is_forwarded = "X-Forwarded-For" in request.headers
    if address is None or not address.is_loopback or is_forwarded:
        require_access(Scope.ADMIN)
    registry = CollectorRegistry()
    ready = Gauge("consent_service_store_ready", "Whether a store answers", ["store"], registry=registry)
    ready.labels("database").set(_is_database_ready())
    ready.labels("events").set(services().is_keeper_ready())
    bytes_waiting = Gauge("consent_service_inbox_bytes", "Size of the inbox files on disk", registry=registry)
    bytes_waiting.set(sum(path.stat().st_size for path in inbox_files(services().config.inbox_dir)))
    _measure_ledger(registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _measure_ledger(registry: CollectorRegistry) -> None:
    leaves = Gauge("consent_service_ledger_leaves", "Leaves of the newest signed checkpoint", registry=registry)
    signed_at = Gauge("consent_service_ledger_signed_timestamp_seconds", "When it was signed", registry=registry)
    waiting = Gauge("consent_service_ledger_waiting", "Records that wait for a leaf", registry=registry)
    try:
        with services().engine.connect() as connection:
            head = read_head(connection)
            waiting.set(count_waiting(connection, head).count)
    except SQLAlchemyError:
        # The gauge of the database says why there is nothing to say here.
        return
    leaves.set(head.size)
    signed_at.set(0 if head.signed_at is None else head.signed_at.timestamp())


@bp.get("/.well-known/gpc.json")
def get_gpc() -> Response:
    """Say whether Global Privacy Control is honoured on this host (GPC specification, section 4).

    It is where every site of the host takes it as a refusal; on a host of no site, where every site does.
    """
    known = services().sites.all()
    concerned = [each for each in known if each.has_host(_own_host())] or known
    is_honoured = all(each.settings.signals.gpc is Gpc.REFUSE for each in concerned)
    return json_response({"gpc": is_honoured, "lastUpdate": GPC_STATED}, cache="public, max-age=3600")


def _own_host() -> str:
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""


def _is_database_ready() -> bool:
    try:
        with services().engine.connect() as connection:
            connection.execute(select(site.c.site_id).limit(1)).first()
    except SQLAlchemyError:
        return False
    return True
