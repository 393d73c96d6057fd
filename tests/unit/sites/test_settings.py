"""Site files are read to the key; whatever is wrong is told at once, each with its line."""

from pathlib import Path
from typing import Any

import pytest

from consent_service.documents import canonical_json
from consent_service.sites.colors import contrast, contrast_problem, label_on, lifted, luminance
from consent_service.sites.settings import (
    SettingsError,
    SiteSettings,
    effective_retention,
    matches_address,
    matches_path,
    parse_settings,
    unknown_purposes,
)

SITE = (Path(__file__).resolve().parents[3] / "examples" / "site.toml").read_text(encoding="utf-8")
LEAST: dict[str, Any] = {"name": "Le Soir", "domain": "soir.example"}


def site(**changes: Any) -> SiteSettings:
    return parse_settings(canonical_json({**LEAST, **changes}), format="json")


def refused(**changes: Any) -> dict[str, str]:
    """Give what is wrong with settings that must be refused: message by place."""
    with pytest.raises(SettingsError) as error:
        site(**changes)
    return {problem.place: problem.message for problem in error.value.problems}


def test_the_news_site_file_is_read_to_the_key() -> None:
    settings = parse_settings(SITE, format="toml")
    assert settings.origins == ("https://nouvelles.example", "https://www.nouvelles.example")
    assert settings.allowed_query_keys == ("page",)
    assert settings.consent_mode == {"analytics": ("analytics_storage",)}
    assert settings.blocking[0].host == "*.stats.example"
    assert settings.banner.colors.accent == "#0b57d0"
    assert settings.signals.gpc == "refuse"


@pytest.mark.parametrize("path", ["/_consent", "/a/b-c/d.e~f", ""])
def test_a_path_of_the_sites_own_is_taken(path: str) -> None:
    assert site(service_path=path).service_path == path


@pytest.mark.parametrize("path", ["/", "_consent", "/_consent/", "//evil.example", "/a b", "/a?b", "/%41", "/é", '/"'])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(SettingsError) as refused:
        site(service_path=path)
    assert [problem.place for problem in refused.value.problems] == ["service_path"]


def test_a_document_read_back_is_the_same_settings() -> None:
    settings = parse_settings(SITE, format="toml")
    assert SiteSettings.from_document(settings.document()) == settings


def test_name_and_domain_are_enough_and_the_rest_is_as_documented() -> None:
    settings = site()
    assert settings.origins == ("https://soir.example", "https://www.soir.example")
    example = parse_settings(SITE, format="toml")
    for key in ("timezone", "retention_days", "paused", "service_path", "share_subdomains", "allowed_query_keys"):
        assert getattr(settings, key) == getattr(example, key)
    for key in ("coverage_counts", "after_withdrawal", "signals"):
        assert getattr(settings, key) == getattr(example, key)
    assert settings.banner.model_dump() == {
        "layout": "bar",
        "theme": "auto",
        "logo_url": "",
        "colors": {"accent": "#0842a0"},
    }
    for key in ("excluded_paths", "excluded_addresses", "blocking", "consent_mode_regions"):
        assert len(getattr(settings, key)) == 0
    for key in ("consent_mode", "uet", "clarity"):
        assert len(getattr(settings, key)) == 0


def test_every_problem_is_told_at_once_with_its_line() -> None:
    text = 'name = ""\n[banner]\nlayout = "popup"\n[signals]\ngpc = true\n[[blocking]]\nhost = "*"\n[baner]\n'
    with pytest.raises(SettingsError) as error:
        parse_settings(text, format="toml")
    assert str(error.value).splitlines() == [
        "line 1: domain: is missing",
        "line 1: name: must not be empty",
        "line 3: banner.layout: must be 'bar', 'corner' or 'dialog'",
        "line 5: signals.gpc: must be 'refuse', 'ask' or 'ignore'",
        "line 6: blocking[0].purpose: is missing",
        "line 7: blocking[0].host: is not a host such as stats.example or *.stats.example",
        "line 8: baner: is not a key of this file",
    ]


@pytest.mark.parametrize(
    "origin",
    [
        "https://a.example",
        "https://a.example:8443",
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "http://app.localhost",
        "https://xn--bcher-kva.example",
    ],
)
def test_an_origin_as_browsers_send_it_is_taken(origin: str) -> None:
    assert site(origins=[origin]).origins == (origin,)


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("https://a.example/", "must be written https://a.example, as browsers send it"),
        ("https://a.example:443", "must be written https://a.example, as browsers send it"),
        ("HTTPS://A.example", "must be written https://a.example, as browsers send it"),
        ("https://a.example/path?x#y", "must be written https://a.example, as browsers send it"),
        ("https://user@a.example", "must be written https://a.example, as browsers send it"),
        ("http://a.example", "must begin with https; http is for loopback alone"),
        ("http://127.0.0.1.a.example", "must begin with https; http is for loopback alone"),
        ("http://192.168.0.1", "must begin with https; http is for loopback alone"),
        ("https://*.a.example", "is not an origin such as https://www.example.org"),
        ("https://bücher.example", "is not an origin such as https://www.example.org"),
        ("https://a.example:99999", "is not an origin such as https://www.example.org"),
        ("ftp://a.example", "is not an origin such as https://www.example.org"),
        ("null", "is not an origin such as https://www.example.org"),
        ("", "is not an origin such as https://www.example.org"),
    ],
)
def test_any_other_origin_is_refused_with_the_mend(origin: str, message: str) -> None:
    assert refused(origins=[origin]) == {"origins[0]": message}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"domain": "Soir.example"}, "domain"),
        ({"domain": "https://soir.example"}, "domain"),
        ({"timezone": "Europe/Nowhere"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"retention_days": 0}, "retention_days"),
        ({"retention_days": 1096}, "retention_days"),
        ({"paused": "no"}, "paused"),
        ({"after_withdrawal": "leave"}, "after_withdrawal"),
        ({"excluded_paths": ["admin"]}, "excluded_paths[0]"),
        ({"excluded_paths": ["/a?b"]}, "excluded_paths[0]"),
        ({"excluded_addresses": ["192.0.2.1/24"]}, "excluded_addresses[0]"),
        ({"excluded_addresses": ["home"]}, "excluded_addresses[0]"),
        ({"allowed_query_keys": ["a=b"]}, "allowed_query_keys[0]"),
        ({"allowed_query_keys": ["a", "a"]}, "allowed_query_keys[1]"),
        ({"banner": {"theme": "blue"}}, "banner.theme"),
        ({"banner": {"logo_url": "http://a.example/logo.png"}}, "banner.logo_url"),
        ({"banner": {"logo_url": "javascript:alert(1)"}}, "banner.logo_url"),
        ({"banner": {"colors": {"accent": "blue"}}}, "banner.colors.accent"),
        ({"banner": {"colors": {"refuse": "#000000"}}}, "banner.colors.refuse"),
        ({"consent_mode": {"analytics": ["everything"]}}, "consent_mode.analytics[0]"),
        ({"uet": {"analytics": ["analytics_storage"]}}, "uet.analytics[0]"),
        ({"uet": {"analytics": []}}, "uet.analytics"),
        ({"clarity": {"analytics": ["ad_user_data"]}}, "clarity.analytics[0]"),
        ({"consent_mode_regions": ["EU"]}, "consent_mode_regions[0]"),
        ({"consent_mode_regions": ["fr"]}, "consent_mode_regions[0]"),
        ({"consent_mode_regions": ["US_CA"]}, "consent_mode_regions[0]"),
        ({"consent_mode_regions": ["FR", "FR"]}, "consent_mode_regions[1]"),
        ({"blocking": [{"purpose": "a", "host": "*.com"}]}, "blocking[0].host"),
        ({"blocking": [{"purpose": "a", "host": "https://x.example"}]}, "blocking[0].host"),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(changes: dict[str, Any], place: str) -> None:
    assert list(refused(**changes)) == [place]


def test_regions_are_countries_and_their_parts() -> None:
    settings = site(consent_mode={"analytics": ["ad_storage"]}, consent_mode_regions=["FR", "US-CA", "GB-SCT"])
    assert settings.consent_mode_regions == ("FR", "US-CA", "GB-SCT")


def test_a_site_with_no_origin_left_can_be_read() -> None:
    assert site(origins=[]).origins == ()


def test_a_pale_accent_is_refused_on_white_and_taken_on_a_dark_banner() -> None:
    pale = {"colors": {"accent": "#ffeb3b"}}
    assert "stands out from a white banner with a contrast of 1.2" in next(iter(refused(banner=pale).values()))
    assert site(banner={**pale, "theme": "dark"}).banner.colors.accent == "#ffeb3b"


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#ffffff", "#ffffff") == 1


ACCENTS = [f"#{red:x}{green:x}{blue:x}" for red in range(16) for green in range(16) for blue in range(16)]


def test_the_default_buttons_have_a_contrast_of_seven_in_both_themes() -> None:
    accent = site().banner.colors.accent
    assert contrast(accent, label_on(accent)) >= 7
    assert contrast(accent, "#ffffff") >= 7
    dark = lifted(accent)
    assert contrast(dark, label_on(dark)) >= 7
    assert contrast(dark, "#121212") >= 7


def test_on_a_dark_banner_every_accent_is_lifted_until_its_words_have_a_contrast_of_seven() -> None:
    for accent in ACCENTS:
        dark = lifted(accent)
        assert luminance(dark) >= 0.38
        assert contrast(dark, label_on(dark)) >= 7
        assert (dark == accent) is (luminance(accent) >= 0.38)


def test_no_accent_that_is_taken_makes_the_buttons_hard_to_read() -> None:
    taken = [accent for accent in ACCENTS if contrast_problem(accent, on_light=True) is None]
    assert len(taken) > 1000
    assert min(contrast(accent, label_on(accent)) for accent in taken) >= 4.5
    assert min(contrast(accent, "#ffffff") for accent in taken) >= 3


def test_a_site_may_shorten_retention_and_never_lengthen_it() -> None:
    assert effective_retention(395, 30) == 30
    assert effective_retention(30, 395) == 30


@pytest.mark.parametrize(
    ("path", "is_excluded"),
    [
        ("/admin/", True),
        ("/admin/users/3", True),
        ("/admin", False),
        ("/Admin/x", False),
        ("/fr/preview/a/edit", True),
        ("/fr/preview/edit", False),
        ("/blog", False),
    ],
)
def test_excluded_paths_match_by_star(path: str, is_excluded: bool) -> None:
    settings = site(excluded_paths=["/admin/*", "/*/preview/*/edit"])
    assert matches_path(settings, path) is is_excluded


@pytest.mark.parametrize(
    ("address", "is_excluded"),
    [
        ("192.0.2.17", True),
        ("::ffff:192.0.2.17", True),
        ("192.0.3.1", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("198.51.100.1", True),
        ("nonsense", False),
        ("", False),
    ],
)
def test_excluded_addresses_match_by_network(address: str, is_excluded: bool) -> None:
    settings = site(excluded_addresses=["192.0.2.0/24", "2001:db8::/32", "198.51.100.1"])
    assert matches_address(settings, address) is is_excluded


def test_purposes_that_the_policy_does_not_have_are_told() -> None:
    settings = parse_settings(SITE + '[clarity]\nanalytics = ["ad_storage"]\n', format="toml")
    assert unknown_purposes(settings, ["analytics"]) == []
    assert [problem.place for problem in unknown_purposes(settings, ["other"])] == [
        "consent_mode.analytics",
        "uet.analytics",
        "clarity.analytics",
        "blocking[0].purpose",
    ]
