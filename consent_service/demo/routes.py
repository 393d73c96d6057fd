"""Show the demo's news site, which embeds the tag exactly as a customer's page would."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, send_from_directory
from werkzeug.wrappers import Response as AnyResponse

from consent_service.demo.pages import (
    DEFAULT_LANGUAGE,
    LANGUAGES,
    ROOT,
    Article,
    archive_path,
    article_path,
    find_article,
    home_path,
    load_articles,
    load_words,
)
from consent_service.resources import data_dir
from consent_service.services import services
from consent_service.sites.snippet import write_snippet

bp = Blueprint("demo", __name__, url_prefix=ROOT, template_folder="templates")

RELATED = 3
BRIEFS = 7


@bp.get("/")
@bp.get("/<any(en, es):language>/")
def get_front(language: str = DEFAULT_LANGUAGE) -> Response:
    """Give the front page: the lead, what is related to it, and briefs."""
    articles = [article for article in load_articles() if not article.is_brief]
    lead, *others = articles
    briefs = [article for article in load_articles() if article.is_brief][:BRIEFS]
    paths = {each: home_path(each) for each in LANGUAGES}
    return _page("front.html", language, paths, lead=lead, related=others, briefs=briefs)


@bp.get("/articles/<slug>")
@bp.get("/<any(en, es):language>/articles/<slug>")
def get_article(slug: str, language: str = DEFAULT_LANGUAGE) -> Response:
    """Give one article, in its own language within the interface's."""
    article = find_article(slug)
    if article is None:
        return _missing(language)
    paths = {each: article_path(each, slug) for each in LANGUAGES}
    return _page("article.html", language, paths, article=article, related=_related(article))


@bp.get("/archives")
@bp.get("/<any(en, es):language>/archives")
def get_archive(language: str = DEFAULT_LANGUAGE) -> Response:
    """Give the list of everything that was published."""
    paths = {each: archive_path(each) for each in LANGUAGES}
    return _page("archive.html", language, paths, articles=load_articles())


@bp.get("/<any(en, es):language>")
def get_front_without_slash(language: str) -> AnyResponse:
    """Lead to the front page."""
    return redirect(home_path(language))


@bp.get("/<path:rest>")
def get_missing(rest: str) -> Response:
    """Say that there is no such page, in the language its address begins with."""
    first = rest.split("/")[0]
    return _missing(first if first in LANGUAGES else DEFAULT_LANGUAGE)


@bp.get("/static/<path:name>")
def get_static(name: str) -> Response:
    """Give a picture or the stylesheet."""
    response = send_from_directory(data_dir("static") / "demo", name, max_age=300)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _related(article: Article) -> list[Article]:
    others = [other for other in load_articles() if other.slug != article.slug and not other.is_brief]
    return sorted(others, key=lambda other: (other.section != article.section, other.age_days))[:RELATED]


def _missing(language: str) -> Response:
    response = _page("missing.html", language, {each: home_path(each) for each in LANGUAGES})
    response.status_code = 404
    return response


def _page(template: str, language: str, paths: dict[str, str], **values: Any) -> Response:
    parts = services()
    public_url = parts.config.public_url
    site = parts.sites.all()[0]
    words = load_words()
    html = render_template(
        f"demo/{template}",
        **values,
        language=language,
        words=words[language],
        languages=[(each, words[each]["name"], paths[each]) for each in LANGUAGES],
        site_name=site.settings.name,
        tag=write_snippet(site, public_url),
        privacy_url=f"/privacy/{site.key}?lang={language}",
        banner_url=f"/banner/{site.key}?lang={language}",
        link=lambda article: article_path(language, article.slug),
        home_url=home_path(language),
        archive_url=archive_path(language),
    )
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' {public_url}; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {public_url}; frame-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    return response
