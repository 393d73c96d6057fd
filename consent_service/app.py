"""Wire the application together: the only place that does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from flask import Blueprint, Flask

from consent_service.browser.limits import RateLimiter, ReceiptQuota
from consent_service.browser.place import MmdbLookup, no_lookup
from consent_service.browser.proxies import TrustedProxies
from consent_service.browser.watched import WatchedFile
from consent_service.collect.inbox import Inbox
from consent_service.collect.known_sources import read_hosts
from consent_service.collect.pipeline import STEP_NAMES
from consent_service.collect.timings import StepTimes
from consent_service.config import Config, load_config
from consent_service.consent.receipts import Receipts
from consent_service.consent.shelf import Shelf
from consent_service.consent.tokens import TokenSigner
from consent_service.core import Core, make_core
from consent_service.events.store import Reader
from consent_service.events_url import EventsUrl
from consent_service.export.receipt_copy import copy_receipt
from consent_service.serve.socket import KeeperClient, SharedAnswer
from consent_service.services import EXTENSION, Services
from consent_service.times import utc_now
from consent_service.web import answer_errors


def make_services(core: Core, quota: ReceiptQuota | None = None) -> Services:
    """Make the parts of a web worker; `quota` is the one that it shares with others."""
    config = core.config
    keeper = KeeperClient(config.socket_path)
    reader = keeper if config.events_url is None else _clickhouse_reader(config.events_url)
    return Services(
        config=config,
        now=core.now,
        engine=core.engine,
        writer=core.writer,
        sites=core.sites,
        publications=core.publications,
        shelf=Shelf(),
        receipts=Receipts(core.engine),
        signer=TokenSigner([key.value for key in config.secret_keys]),
        inbox=Inbox(config.inbox_dir),
        limiter=RateLimiter(config.rate_limits),
        quota=ReceiptQuota() if quota is None else quota,
        lookup=no_lookup if config.geoip_db is None else MmdbLookup(config.geoip_db),
        spam_hosts=_spam_hosts(config),
        step_times=StepTimes(STEP_NAMES),
        reader=reader,
        is_keeper_ready=SharedAnswer(keeper.is_ready),
        sign_checkpoint=keeper.sign_checkpoint,
        copy_receipt=partial(copy_receipt, core.engine, reader),
    )


def _clickhouse_reader(url: EventsUrl) -> Reader:
    # Its client is an extra, and takes a while to import.
    from consent_service.events.clickhouse_reading import ClickHouseReader

    return ClickHouseReader(url)


def _spam_hosts(config: Config) -> Callable[[], frozenset[str]]:
    if config.referrer_spam is None:
        return frozenset
    return WatchedFile(config.referrer_spam, lambda path: read_hosts(path.read_text("utf-8"))).get


def create_app(
    config: Config | None = None, now: Callable[[], datetime] = utc_now, quota: ReceiptQuota | None = None
) -> Flask:
    """Make the WSGI application of one web worker; without a config, by the environment's settings.

    Workers that are forked from one process share the `quota` that it made; an application without one counts alone.
    """
    core = make_core(load_config() if config is None else config, now)
    app = Flask("consent_service", static_folder=None, template_folder=None)
    app.config["SECRET_KEY"] = core.config.secret_keys[0].value
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.extensions[EXTENSION] = make_services(core, quota)
    answer_errors(app)
    for blueprint in load_blueprints(core.config):
        app.register_blueprint(blueprint)
    app.wsgi_app = TrustedProxies(app.wsgi_app, core.config.trusted_proxies)  # type: ignore[method-assign]
    return app


def load_blueprints(config: Config) -> list[Blueprint]:
    """Import every module that answers requests, and give their blueprints; opens nothing."""
    from consent_service.collect.routes import bp as collect
    from consent_service.consent.assets import bp as assets
    from consent_service.consent.certificate_routes import bp as certificates
    from consent_service.consent.copy_link import bp as copies
    from consent_service.consent.coverage import bp as coverage
    from consent_service.consent.my_page import bp as my_page
    from consent_service.consent.pages import bp as pages
    from consent_service.consent.plain_banner import bp as plain_banner
    from consent_service.consent.receipt_routes import bp as receipt
    from consent_service.consent.report_routes import bp as consent_report
    from consent_service.consent.routes import bp as consent
    from consent_service.console.admin_api import bp as admin_api
    from consent_service.console.pages import bp as console
    from consent_service.export.routes import bp as export
    from consent_service.ledger.routes import bp as ledger
    from consent_service.serve.health import bp as health
    from consent_service.serve.openapi import bp as openapi
    from consent_service.stats.routes import bp as stats

    of_visitors = [consent, coverage, collect, assets, pages, plain_banner, my_page, certificates, receipt]
    found = [*of_visitors, copies, ledger, stats, export, consent_report, admin_api, console, health, openapi]
    if config.is_demo:
        from consent_service.demo.routes import bp as demo

        found.append(demo)
    if config.events_url is not None:
        from consent_service.events import clickhouse_reading  # noqa: F401
    return found
