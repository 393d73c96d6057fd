"""The parts that every process shares: web worker, keeper and command alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from consent_service.config import Config
from consent_service.consent.publication import Publications
from consent_service.db.engine import make_engine
from consent_service.db.journal import watch
from consent_service.db.writer import Writer
from consent_service.sites.registry import Sites
from consent_service.times import utc_now


@dataclass(frozen=True, slots=True)
class Core:
    """Hold the parts that every process shares, web worker, keeper and command alike."""

    config: Config
    now: Callable[[], datetime]
    engine: Engine
    writer: Writer
    sites: Sites
    publications: Publications

    def close(self) -> None:
        """Commit what waits and let go of the main database."""
        self.writer.close()
        self.engine.dispose()


def make_core(config: Config, now: Callable[[], datetime] = utc_now) -> Core:
    """Open the main database and the caches over it."""
    engine = make_engine(config.database_url)
    watch(engine, config.journal_path)
    writer = Writer(engine)
    sites = Sites(engine)
    return Core(config, now, engine, writer, sites, Publications(engine, writer, sites, now))
