"""Find out how a deployment is, whether its server runs or not."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from consent_service.collect.inbox_file import InboxError, InboxReader, damaged_files, inbox_files
from consent_service.config import Config
from consent_service.core import Core
from consent_service.errors import Unavailable
from consent_service.fields import is_loopback
from consent_service.ledger.anchors import anchor_warnings
from consent_service.ledger.lookup import Waiting, count_waiting
from consent_service.ledger.standing import read_head
from consent_service.locks import KEEPER, read_holder
from consent_service.serve.socket import KeeperClient
from consent_service.sites.registry import Site
from consent_service.times import timestamp

MERGED_WITHIN = timedelta(seconds=60)
FEW_BYTES = 1_000_000_000
FEW_SHARE = 0.05
# Whoever asks how it is wants to know now; a keeper that is rewriting a large store is told of as one that is busy.
ANSWER_SECONDS = 3.0


def describe(core: Core) -> dict[str, Any]:
    """Give what `status --json` prints; where no server runs, `processes` is empty."""
    config = core.config
    keeper = read_holder(config.data_dir / KEEPER)
    workers = [pid for path in sorted(config.inbox_dir.glob("inbox-*.lock")) if (pid := read_holder(path))]
    processes = [] if keeper is None else [{"role": "keeper", "pid": keeper}]
    processes += [{"role": "web", "pid": pid} for pid in workers]
    answer = None if keeper is None else _ask(config)
    waiting = _read_inboxes(config) if answer is None else answer
    oldest = waiting["oldest_at"]
    seconds = 0.0 if oldest is None else (core.now() - datetime.fromisoformat(oldest)).total_seconds()
    warnings = [*_process_warnings(processes, is_deaf=keeper is not None and answer is None)]
    warnings += [
        f"the inbox {name} is damaged and left aside; it may hold events of people who withdrew since: delete it "
        "once it has been looked at"
        for name in waiting["damaged_inboxes"]
    ]
    if (brake := waiting.get("brake")) is not None:
        warnings.append(
            f"retention deletes nothing: {brake}; look with: consent-service retention run --dry-run, and if it is "
            "right run: consent-service retention run --confirm"
        )
    warnings += _directory_warnings(config)
    with core.engine.connect() as connection:
        warnings += anchor_warnings(connection, config.anchors, core.now())
        head = read_head(connection)
        unmerged = count_waiting(connection, head)
    is_kept = keeper is not None
    warnings += _ledger_warnings(unmerged, waiting.get("ledger_problem"), core.now(), is_kept=is_kept)
    for site in core.sites.all():
        warnings += _site_warnings(core, site)
    return {
        "processes": processes,
        "inbox": {"rows": waiting["rows"], "oldest_seconds": round(max(0.0, seconds), 1)},
        "last_drain": waiting["drained_at"],
        "last_checkpoint": None if head.note is None else {"size": head.size, "signed_at": head.signed_at},
        "waiting_leaves": unmerged.count,
        "warnings": warnings,
    }


def in_words(document: dict[str, Any]) -> str:
    """Write the condition for people."""
    drained = document["last_drain"]
    lines = [f"{item['role']:<7}  process {item['pid']}" for item in document["processes"]]
    lines.append(f"inbox    {document['inbox']['rows']} rows wait, the oldest {document['inbox']['oldest_seconds']} s")
    lines.append(f"drained  {timestamp(drained) if drained else '-'}")
    signed = document["last_checkpoint"]
    told = "-" if signed is None else f"{signed['size']} leaves at {timestamp(signed['signed_at'])}"
    lines.append(f"signed   {told}, {document['waiting_leaves']} records wait")
    return "\n".join([*lines, *(f"warning  {text}" for text in document["warnings"])])


def _ask(config: Config) -> dict[str, Any] | None:
    client = KeeperClient(config.socket_path)
    try:
        found: dict[str, Any] = client.ask("status", seconds=ANSWER_SECONDS)
    except Unavailable:
        return None
    finally:
        client.close()
    return found


def _read_inboxes(config: Config) -> dict[str, Any]:
    """Look into the inboxes while no keeper does."""
    depths: list[tuple[int, str | None]] = []
    unreadable: list[str] = []
    for path in inbox_files(config.inbox_dir):
        try:
            inbox = InboxReader(path)
        except InboxError:
            unreadable.append(path.name)
            continue
        try:
            depths.append(inbox.depth())
        except InboxError:
            unreadable.append(path.name)
        finally:
            inbox.close()
    return {
        "rows": sum(rows for rows, _ in depths),
        "oldest_at": min((at for _, at in depths if at), default=None),
        "drained_at": None,
        "damaged_inboxes": sorted([*damaged_files(config.inbox_dir), *unreadable]),
    }


def _process_warnings(processes: list[dict[str, Any]], *, is_deaf: bool) -> Iterator[str]:
    roles = {item["role"] for item in processes}
    if not roles:
        yield "no server runs here; start one with: consent-service serve"
    elif roles != {"keeper", "web"}:
        yield f"no {'keeper' if 'web' in roles else 'web worker'} runs; it should start again within seconds"
    elif is_deaf:
        yield f"the keeper runs and did not answer within {ANSWER_SECONDS:.0f} s; it may be rewriting the store"


def _ledger_warnings(unmerged: Waiting, problem: str | None, now: datetime, *, is_kept: bool) -> Iterator[str]:
    if problem is not None:
        yield f"nothing is signed: {problem}"
    elif is_kept and unmerged.oldest_at is not None and now - unmerged.oldest_at > MERGED_WITHIN:
        yield f"{unmerged.count} records wait for the log, the oldest since {timestamp(unmerged.oldest_at)}"


def _directory_warnings(config: Config) -> Iterator[str]:
    if config.moved_events_path.exists():
        yield f"{config.moved_events_path} holds events that no erasure reaches any more; delete it"
    usage = shutil.disk_usage(config.data_dir)
    if usage.free < FEW_BYTES or usage.free < usage.total * FEW_SHARE:
        yield f"the disk is nearly full: {usage.free // 1_000_000} MB of {usage.total // 1_000_000} MB are free"
    if stat.S_IMODE(config.data_dir.stat().st_mode) & 0o077:
        yield f"{config.data_dir} is open to others; run: chmod 700 {config.data_dir}"


def _site_warnings(core: Core, site: Site) -> Iterator[str]:
    name = f"{site.key} ({site.settings.domain})"
    if core.publications.of(site) is None:
        yield f"{name} has no policy, so it shows no banner; run: consent-service policy publish {site.key} FILE"
    if site.settings.service_path:
        if not core.config.trusted_proxies:
            yield (
                f"{name} is served under {site.settings.service_path} and no proxy is trusted: its visitors count as "
                "one address; set TRUSTED_PROXIES to the site's web server"
            )
        return
    service = urlsplit(core.config.public_url)
    hosts = {urlsplit(origin).hostname or "" for origin in site.origins}
    if service.hostname not in hosts and not all(is_loopback(host) for host in hosts):
        yield (
            f"{name} is not first-party: PUBLIC_URL is on none of its hosts, so Safari forgets choices after 7 days; "
            "serve under a path of the site's own origin and name it as service_path in its settings"
        )
    if service.scheme != "https" and any(origin.startswith("https:") for origin in site.origins):
        yield f"{name} is on https and PUBLIC_URL is not: browsers block the script; set PUBLIC_URL to an https URL"
