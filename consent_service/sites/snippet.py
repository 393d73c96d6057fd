"""Write the tag that a site pastes into its pages."""

from __future__ import annotations

from consent_service.sites.registry import Site


def write_snippet(site: Site, public_url: str) -> str:
    """Give the tag: by the path on the site's own origins where there is one, else by the service's own address."""
    base = site.settings.service_path or public_url
    return f'<script defer src="{base}/c/{site.key}.js" referrerpolicy="origin"></script>'
