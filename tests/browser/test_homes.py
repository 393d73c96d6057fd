"""Hostile homes: strict policies, pages that redefine what they like, denied storage, and places that cannot decide."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from consent_service.resources import data_dir
from tests.browser.conftest import Traffic, stored, until
from tests.browser.lab import Lab, policy_document, with_second_purpose

Visitor = Callable[..., tuple[Page, Traffic]]
REPORTS = """window.violations = [];
addEventListener('securitypolicyviolation', (e) => violations.push(e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample));"""


@pytest.fixture(scope="module")
def one(lab: Lab) -> str:
    """Add a site of one purpose."""
    return lab.site(policy_document("fr"))


@pytest.fixture(scope="module")
def two(lab: Lab) -> str:
    """Add a site of two purposes."""
    return lab.site(with_second_purpose(policy_document("fr")))


def warnings(page: Page) -> list[str]:
    """Collect what the console is told, from now on."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    return said


def accept(page: Page) -> None:
    """Accept, and wait until it is granted."""
    page.locator('[data-action="accept"]').click()
    page.wait_for_function("window.consent.granted('analytics')")


STRICT = (
    "default-src 'none'; script-src 'nonce-r4nd0m'; connect-src {service}; style-src 'none'; "
    "require-trusted-types-for 'script'; trusted-types consent-service"
)
DYNAMIC = (
    "default-src 'none'; script-src 'nonce-r4nd0m' 'strict-dynamic'; connect-src {service}; style-src 'none'; "
    "base-uri 'none'; require-trusted-types-for 'script'; trusted-types consent-service"
)
HOSTS = "default-src 'none'; script-src {service}; connect-src {service}; style-src 'none'"


@pytest.mark.parametrize("is_pinned", [False, True])
@pytest.mark.parametrize(
    ("policy", "attributes"),
    [(STRICT, 'nonce="r4nd0m"'), (DYNAMIC, 'nonce="r4nd0m"'), (HOSTS, "")],
    ids=["nonce", "strict-dynamic", "hosts"],
)
def test_a_strict_policy_reports_nothing_and_everything_works(
    lab: Lab, visitor: Visitor, two: str, policy: str, attributes: str, is_pinned: bool
) -> None:
    waiting = '<script type="text/plain" data-consent="marketing">window.marketed = true</script>'
    if attributes:
        waiting = waiting.replace("<script", f"<script {attributes}")
    path = f"/csp-{abs(hash((policy, is_pinned)))}"
    headers = {"Content-Security-Policy": policy.format(service=lab.url)}
    tag = lab.tag(two, is_pinned=is_pinned, attributes=attributes)
    url = lab.page(path, tag, f"<main><h1>Une</h1>{waiting if attributes else ''}</main>", headers=headers)
    page, traffic = visitor()
    page.add_init_script(REPORTS)
    page.goto(url)
    page.locator('[data-action="customize"]').click()
    page.locator('input[data-purpose="analytics"]').check()
    page.locator('input[data-purpose="marketing"]').check()
    page.locator('[data-action="save"]').click()
    until(lambda: traffic.of("/v1/events"), 5, "the pageview", page)
    if attributes:
        page.wait_for_function("window.marketed")
    assert page.evaluate("violations") == []
    assert page.evaluate("document.querySelectorAll('style, [style]').length") == 0
    withdrawn = page.evaluate("consent.withdraw()")
    assert withdrawn["purposes"] == ["analytics", "marketing"]
    assert page.evaluate("violations") == []


def test_a_pinned_script_runs_with_its_integrity_and_so_does_the_rest_of_it(
    lab: Lab, visitor: Visitor, two: str
) -> None:
    digest = hashlib.sha384((data_dir("static") / "consent.js").read_bytes()).digest()
    pin = f'integrity="sha384-{base64.b64encode(digest).decode()}" crossorigin'
    page, traffic = visitor()
    page.goto(lab.page("/pinned", lab.tag(two, is_pinned=True, attributes=pin)))
    page.locator('[data-action="customize"]').click()
    expect(page.locator('[data-action="save"]')).to_be_visible()
    [more] = traffic.of(".more.js")
    assert more.url == f"{lab.url}/consent.v1.more.js"
    assert page.evaluate("document.querySelector('script[src$=\"more.js\"]').integrity").startswith("sha384-")


REDEFINED = """window.JSON2 = JSON; Array.prototype.toJSON = function () { return 'broken'; }; delete Array.prototype.toJSON;
Array.prototype.extra = function () {}; Object.defineProperty(Object.prototype, 'polluted', {value: 1, enumerable: true});
window.status = 'mine'; window.event = 'mine'; window.name = 'mine'; window.origin2 = 1; window.panel = 1; window.config = 1;
window.$ = 1; window.define = Object.assign(() => { throw new Error('amd'); }, {amd: true}); window.module = {exports: {}};"""


def test_a_page_that_redefines_globals_is_served_and_left_alone(lab: Lab, visitor: Visitor, one: str) -> None:
    named = (
        '<form id="consent" name="config"><input name="panel"></form><a id="root" name="status">x</a><p id="open"></p>'
    )
    page, traffic = visitor()
    page.add_init_script(REDEFINED)
    page.goto(lab.page("/globals", lab.tag(one), f"<main><h1>Une</h1>{named}</main>"))
    accept(page)
    until(lambda: traffic.of("/v1/events"), 5, "the pageview", page)
    assert page.evaluate("window.status === 'mine' && window.panel === 1 && window.config === 1 && window.$ === 1")
    assert page.evaluate("Object.keys(module.exports).length") == 0


def test_where_storage_is_denied_the_choice_lives_as_long_as_the_page(lab: Lab, visitor: Visitor, one: str) -> None:
    page, traffic = visitor()
    page.add_init_script(
        """Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('denied', 'SecurityError'); }});"""
    )
    page.goto(lab.page("/denied", lab.tag(one)))
    accept(page)
    until(lambda: traffic.of("/v1/events"), 5, "the pageview", page)
    page.evaluate("consent.withdraw()")
    page.wait_for_function("!consent.granted('analytics')")
    page.reload()
    expect(page.locator('[data-action="refuse"]')).to_be_visible()


def test_a_second_tag_leaves_the_first_alone(lab: Lab, visitor: Visitor, one: str) -> None:
    page, traffic = visitor()
    page.goto(lab.page("/twice", lab.tag(one) + lab.tag(one) + lab.tag(one, is_pinned=True)))
    expect(page.locator("consent-banner")).to_have_count(1)
    accept(page)
    until(lambda: traffic.of("/v1/events"), 5, "the pageview", page)
    page.wait_for_load_state("networkidle")
    assert len(traffic.of("/v1/decisions")) == 1
    assert len(traffic.of("/v1/events")) == 1


def test_two_tabs_know_of_each_other(lab: Lab, visitor: Visitor, one: str) -> None:
    url = lab.page("/tabs", lab.tag(one))
    page, _ = visitor()
    page.goto(url)
    accept(page)
    other = page.context.new_page()
    other.goto(url)
    other.wait_for_function("consent.granted('analytics')")
    page.evaluate("consent.withdraw()")
    other.wait_for_function("!consent.granted('analytics')")


def test_a_sandboxed_frame_says_why_it_cannot_decide(lab: Lab, visitor: Visitor, one: str) -> None:
    lab.page("/inner", lab.tag(one))
    page, traffic = visitor()
    said = warnings(page)
    page.goto(lab.page("/outer", "", '<iframe sandbox="allow-scripts" src="/inner" title="x"></iframe>'))
    until(lambda: any("origin" in text for text in said), 5, "the reason", page)
    assert not traffic.of("/v1/")


def test_a_file_and_amp_say_why_they_cannot_decide(lab: Lab, visitor: Visitor, one: str) -> None:
    page, _ = visitor()
    said = warnings(page)
    page.goto(lab.page("/amp", lab.tag(one), attributes="amp"))
    until(lambda: any("AMP" in text for text in said), 5, "the reason", page)
    assert page.locator("consent-banner").count() == 0
    file = lab.directory / "page.html"
    file.write_text(f"<!doctype html><title>x</title><body><h1>x</h1>{lab.tag(one)}")
    said.clear()
    page.goto(file.as_uri())
    until(lambda: any("origin" in text for text in said), 5, "the reason", page)
    assert page.locator("consent-banner").count() == 0


def test_an_old_browser_gets_the_banner_and_no_tracking(lab: Lab, visitor: Visitor, one: str) -> None:
    page, traffic = visitor()
    page.add_init_script(
        """delete window.AbortController; delete window.AbortSignal; delete window.CSSStyleSheet;
        delete Document.prototype.adoptedStyleSheets; delete HTMLDialogElement.prototype.showModal;
        delete window.ResizeObserver; delete crypto.randomUUID; delete window.trustedTypes;"""
    )
    page.goto(lab.page("/old", lab.tag(one)))
    accept(page)
    page.wait_for_load_state("networkidle")
    assert not traffic.of("/v1/events")
    page.evaluate("consent.show()")
    page.locator('[data-action="refuse"]').click()
    page.wait_for_function("!consent.granted('analytics')")


def test_before_a_choice_only_what_is_promised_is_read(lab: Lab, visitor: Visitor, one: str) -> None:
    page, _ = visitor()
    page.add_init_script(
        """window.read = new Set();
        const spy = (owner, name, label) => { const own = Object.getOwnPropertyDescriptor(owner, name);
          if (own && own.get) Object.defineProperty(owner, name, {...own, get() { read.add(label + name); return own.get.call(this); }}); };
        for (const name of Object.getOwnPropertyNames(Navigator.prototype)) spy(Navigator.prototype, name, 'navigator.');
        for (const name of Object.getOwnPropertyNames(Screen.prototype)) spy(Screen.prototype, name, 'screen.');
        for (const name of ['cookie', 'referrer', 'lastModified']) spy(Document.prototype, name, 'document.');
        for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'devicePixelRatio'])
          spy(window, name, 'window.');
        for (const name of ['getItem', 'key', 'setItem']) { const own = Storage.prototype[name];
          Storage.prototype[name] = function (...words) { read.add(name + ' ' + words[0]); return own.apply(this, words); }; }
        const asked = window.matchMedia;
        window.matchMedia = (query) => { read.add('media ' + query); return asked.call(window, query); };
        const canvas = HTMLCanvasElement.prototype.toDataURL;
        HTMLCanvasElement.prototype.toDataURL = function () { read.add('canvas'); return canvas.apply(this, arguments); };"""
    )
    page.goto(lab.page("/read", lab.tag(one)), wait_until="networkidle")
    expect(page.locator('[data-action="refuse"]')).to_be_visible()
    assert set(page.evaluate("[...read]")) <= {
        "navigator.languages",
        "navigator.globalPrivacyControl",
        "window.localStorage",
        "getItem consent-service",
    }


def test_a_body_put_in_the_place_of_the_first_keeps_the_choice(lab: Lab, visitor: Visitor, one: str) -> None:
    page, _ = visitor()
    page.goto(lab.page("/swapped", lab.tag(one)))
    expect(page.locator('[data-action="refuse"]')).to_be_visible()
    page.evaluate(
        """() => { const body = document.createElement('body'); body.innerHTML = '<main><h1>Deux</h1></main>';
        document.body.replaceWith(body); }"""
    )
    expect(page.locator('[data-action="refuse"]')).to_be_visible()
    page.evaluate("document.body.innerHTML = '<main><h1>Trois</h1></main>'")
    page.locator('[data-action="refuse"]').click()
    expect(page.locator('[data-action="open"]')).to_be_visible()
    page.evaluate("document.body.innerHTML = '<main><h1>Quatre</h1></main>'")
    expect(page.locator('[data-action="open"]')).to_be_visible()


def test_a_control_of_the_pages_own_takes_the_place_of_ours_and_ours_of_it(
    lab: Lab, visitor: Visitor, one: str
) -> None:
    page, _ = visitor()
    page.goto(lab.page("/late-control", lab.tag(one)))
    page.locator('[data-action="refuse"]').click()
    ours = page.locator('consent-banner [data-action="open"]')
    expect(ours).to_be_visible()
    ours.focus()
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<a id=own href=# data-consent-open>Choix</a>')")
    expect(ours).to_have_count(0)
    expect(page.locator("#own")).to_be_focused()
    page.evaluate("document.querySelector('#own').remove()")
    expect(ours).to_be_visible()


def test_a_page_that_is_only_prepared_is_not_counted(lab: Lab, visitor: Visitor, one: str) -> None:
    url = lab.page("/prepared", lab.tag(one))
    page, traffic = visitor()
    page.goto(url)
    accept(page)
    until(lambda: traffic.of("/v1/events"), 5, "the pageview", page)
    traffic.requests.clear()
    page.add_init_script(
        "Object.defineProperty(document, 'prerendering', {get: () => !window.shown, configurable: true})"
    )
    page.reload(wait_until="networkidle")
    assert not traffic.of("/v1/events")
    page.evaluate("() => { window.shown = true; document.dispatchEvent(new Event('prerenderingchange')); }")
    until(lambda: traffic.of("/v1/events"), 5, "the pageview", page)


def test_the_banner_speaks_the_language_of_the_interface(lab: Lab, visitor: Visitor) -> None:
    key = lab.site(policy_document("fr", "en", "ar", "zh-Hans", "zh-Hant", "nb"))
    cases = [
        ("de", 'data-lang="en"', "fr-FR", "en", "ltr"),
        ("ar", "", "fr-FR", "ar", "rtl"),
        ("zh-TW", "", "fr-FR", "zh-Hant", "ltr"),
        ("no", "", "fr-FR", "nb", "ltr"),
        ("xx", "", "en-GB", "en", "ltr"),
        ("xx", "", "sv-SE", "fr", "ltr"),
    ]
    for is_pinned in (False, True):
        for number, (lang, attributes, locale, language, direction) in enumerate(cases):
            tag = lab.tag(key, is_pinned=is_pinned, attributes=attributes)
            page, _ = visitor(locale=locale)
            page.goto(lab.page(f"/lang-{is_pinned}-{number}", tag, lang=lang))
            expect(page.locator('[data-action="refuse"]')).to_be_visible()
            found = page.evaluate("(({lang, dir}) => [lang, dir])(document.querySelector('consent-banner'))")
            assert found == [language, direction], (is_pinned, lang, attributes, locale)


def test_a_refusal_on_a_dead_network_is_remembered_and_told_later(lab: Lab, visitor: Visitor, one: str) -> None:
    url = lab.page("/dead", lab.tag(one))
    page, traffic = visitor()
    page.goto(url)
    page.context.route("**/v1/**", lambda route: route.abort())
    page.locator('[data-action="refuse"]').click()
    expect(page.locator('[data-action="refuse"]')).to_have_count(0)
    page.reload()
    expect(page.locator('[data-action="open"]')).to_be_visible()
    page.context.unroute("**/v1/**")
    traffic.requests.clear()
    page.reload()
    until(lambda: traffic.of("/v1/decisions"), 5, "the refusal", page)
    page.wait_for_function("!localStorage['consent-service'].includes('\"w\"')")
    assert stored(page)["local"]["consent-service"].count('"p":{"analytics":false}') == 1


def test_a_grant_on_a_dead_network_grants_nothing_and_says_so(lab: Lab, visitor: Visitor, one: str) -> None:
    page, _ = visitor()
    page.goto(lab.page("/dead-yes", lab.tag(one)))
    page.context.route("**/v1/**", lambda route: route.abort())
    page.locator('[data-action="accept"]').click()
    expect(page.locator("consent-banner .note")).to_contain_text("Veuillez réessayer", timeout=15000)
    assert page.evaluate("consent.granted('analytics')") is False
    assert page.evaluate("consent.decided()") is False
