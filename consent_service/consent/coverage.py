"""Count the banners shown, where a site wants that: how many a day, and nothing of who saw them."""

from __future__ import annotations

from typing import Annotated, Final

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from consent_service.browser.body import read_json
from consent_service.browser.sender import limit_rate, read_sender
from consent_service.consent.routes import find_publication
from consent_service.db.tables import coverage_count
from consent_service.db.upsert import add_to_counts
from consent_service.errors import Forbidden, Invalid
from consent_service.services import services
from consent_service.sites.reporting import local_date
from consent_service.web import allow_origins, find_site, parse_model, read_body, require_origin

bp = Blueprint("coverage", __name__, url_prefix="/v1")
allow_origins(bp)

MAX_BODY: Final = 1024

_Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Shown(BaseModel):
    """Hold the body of `POST /v1/shown`: all that is ever sent of somebody who saw a banner."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    site: _Key
    language: Annotated[str, StringConstraints(max_length=35)]
    banner_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16,64}$")]


@bp.route("/shown", methods=["POST", "OPTIONS"], provide_automatic_options=False)
def post_shown() -> Response:
    """Count one banner that was shown; the address bounds how often that may be said, and is gone then."""
    body, parts = read_body(MAX_BODY), services()
    # A share of its own: who looks at many pages must not use up what deciding needs.
    limit_rate(read_sender(), "shown", "decisions")
    wish = parse_model(Shown, read_json(body, limit=MAX_BODY))
    site = find_site(wish.site)
    require_origin(site)
    if not site.settings.coverage_counts:
        raise Forbidden("this site does not count how often its banner is shown")
    publication = find_publication(site)
    cited = publication.cited(wish.banner_hash)
    if cited is None or publication.notices[cited].language != wish.language:
        raise Invalid([("/banner_hash", "is not the hash of a banner of this site in this language")])
    row = {
        "site_id": site.site_id,
        "day": local_date(site, parts.now()),
        "language": wish.language,
        "notice_hash": cited,
        "n": 1,
    }
    parts.writer.run(lambda connection: add_to_counts(connection, coverage_count, [row]))
    return Response(status=204, headers={"Cache-Control": "no-store"})
