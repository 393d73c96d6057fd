"""Gather the administration calls of the reporting API, all of them for tokens with the scope `admin`.

A token administers the site it is bound to. Calls that name another site are refused (403), lists show what belongs
to the own site alone, and administrators of the whole deployment are made on the command line, never here.
"""

from __future__ import annotations

from flask import Blueprint

from consent_service.console.admin_people import bp as people
from consent_service.console.admin_sites import bp as sites
from consent_service.console.admin_tokens import bp as tokens

bp = Blueprint("admin_api", __name__, url_prefix="/api/v1")

for part in (sites, tokens, people):
    bp.register_blueprint(part)
