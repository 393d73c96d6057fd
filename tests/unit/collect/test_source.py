"""Where a visit came from: known hosts by name, channels by the order of the rules, spam apart."""

from __future__ import annotations

import pytest

from consent_service.collect.known_sources import SourceKind, is_spam, known_sources, known_spam, read_hosts
from consent_service.collect.source import Source, first_values, read_source


def found(referrer: str | None = None, query: str = "") -> Source:
    return read_source(referrer, first_values(query), lambda host: host == "news.example")


def test_the_list_has_hundreds_of_hosts_in_one_form_and_every_kind() -> None:
    sources = known_sources()
    assert len(sources.hosts) >= 700
    assert {source.kind for source in sources.hosts.values()} == set(SourceKind)
    for host in sources.hosts:
        assert host == host.lower()
        assert not host.startswith("www.")
        assert set(host) <= set("abcdefghijklmnopqrstuvwxyz0123456789-._")


@pytest.mark.parametrize(
    ("referrer", "source", "channel"),
    [
        (None, "", "Direct"),
        ("", "", "Direct"),
        ("https://news.example/a", "", "Direct"),
        ("https://www.news.example/a", "", "Direct"),
        ("javascript:alert(1)", "", "Direct"),
        ("https://[", "", "Direct"),
        ("https://www.google.com/", "Google", "Organic Search"),
        ("https://www.google.co.uk/search", "Google", "Organic Search"),
        ("https://google.fr", "Google", "Organic Search"),
        ("https://www.google.com.br", "Google", "Organic Search"),
        ("https://google.evil.example/", "google.evil.example", "Referral"),
        ("https://notgoogle.com/", "notgoogle.com", "Referral"),
        ("https://fr.search.yahoo.com/", "Yahoo!", "Organic Search"),
        ("https://news.google.com/", "Google News", "News"),
        ("https://docs.google.com/document", "Google Docs", "Referral"),
        ("https://mail.google.com/mail", "Gmail", "Email"),
        ("android-app://com.google.android.gm/", "Gmail", "Email"),
        ("https://claude.ai/", "Claude", "AI Assistants"),
        ("https://chatgpt.com/", "ChatGPT", "AI Assistants"),
        ("https://gemini.google.com/app", "Gemini", "AI Assistants"),
        ("https://copilot.microsoft.com/", "Copilot", "AI Assistants"),
        ("https://l.facebook.com/l.php", "Facebook", "Organic Social"),
        ("https://t.co/abc", "Twitter", "Organic Social"),
        ("https://someone.tumblr.com/", "Tumblr", "Organic Social"),
        ("https://news.ycombinator.com/", "Hacker News", "Organic Social"),
        ("https://m.youtube.com/watch", "YouTube", "Organic Video"),
        ("https://open.spotify.com/", "Spotify", "Audio"),
        ("https://www.amazon.fr/", "Amazon", "Organic Shopping"),
        ("https://www.amazon.co.jp/", "Amazon", "Organic Shopping"),
        ("https://flipboard.com/", "Flipboard", "News"),
        ("https://fr.wikipedia.org/wiki/X", "Wikipedia", "Referral"),
        ("https://blog.other.example/post", "blog.other.example", "Referral"),
    ],
)
def test_a_referrer_tells_source_and_channel(referrer: str | None, source: str, channel: str) -> None:
    got = found(referrer)
    assert (got.source, got.channel) == (source, channel)


@pytest.mark.parametrize(
    ("query", "source", "channel"),
    [
        ("utm_source=newsletter&utm_medium=email", "newsletter", "Email"),
        ("utm_source=newsletter", "newsletter", "Email"),
        ("utm_source=lemonde&utm_medium=Newsletter", "lemonde", "Email"),
        ("utm_source=google&utm_medium=cpc", "Google", "Paid Search"),
        ("utm_source=google&utm_medium=cpc&utm_campaign=summer_shopping", "Google", "Paid Shopping"),
        ("utm_source=google&utm_medium=cpc&utm_campaign=workshops", "Google", "Paid Search"),
        ("utm_source=amazon&utm_medium=paid", "Amazon", "Paid Shopping"),
        ("utm_source=fb&utm_medium=paid_social", "Facebook", "Paid Social"),
        ("utm_source=youtube&utm_medium=ppc", "YouTube", "Paid Video"),
        ("utm_source=other&utm_medium=cpm", "other", "Display"),
        ("utm_source=other&utm_medium=banner", "other", "Display"),
        ("utm_source=other&utm_medium=cpc", "other", "Paid Other"),
        ("utm_source=x&utm_medium=cpc&utm_campaign=cross-network", "Twitter", "Cross-network"),
        ("utm_source=other&utm_medium=social", "other", "Organic Social"),
        ("utm_source=other&utm_medium=video", "other", "Organic Video"),
        ("utm_source=other&utm_medium=affiliate", "other", "Affiliates"),
        ("utm_source=other&utm_medium=audio", "other", "Audio"),
        ("utm_source=other&utm_medium=sms", "other", "SMS"),
        ("utm_source=other&utm_medium=web_push", "other", "Mobile Push Notifications"),
        ("utm_source=other&utm_medium=organic", "other", "Organic Search"),
        ("utm_source=other", "other", "Referral"),
        ("utm_medium=referral", "", "Referral"),
        ("ref=producthunt.com", "Product Hunt", "Organic Social"),
        ("source=perplexity", "Perplexity", "AI Assistants"),
        ("utm_source=chatgpt.com", "ChatGPT", "AI Assistants"),
        ("UTM_SOURCE=Bing", "Bing", "Organic Search"),
        ("utm_source=&utm_medium=", "", "Direct"),
        ("gclid=abc", "Google", "Paid Search"),
        ("msclkid=abc", "Bing", "Paid Search"),
        ("dclid=abc", "Google", "Paid Search"),
        ("fbclid=abc", "Facebook", "Organic Social"),
        ("mc_eid=abc", "Mailchimp", "Email"),
        ("irclickid=abc", "", "Direct"),
    ],
)
def test_the_marks_of_a_link_tell_source_and_channel(query: str, source: str, channel: str) -> None:
    got = found(None, query)
    assert (got.source, got.channel) == (source, channel)
    assert "abc" not in str(got)


def test_what_the_link_says_goes_before_its_referrer() -> None:
    got = found("https://www.google.com/", "utm_source=letter&utm_medium=email&gclid=1")
    assert (got.source, got.channel, got.click_id, got.referrer) == ("letter", "Email", "gclid", "www.google.com")


def test_medium_and_campaign_tell_nothing_where_they_may_not_be_stored() -> None:
    got = read_source(None, first_values("utm_source=google&utm_medium=cpc"), lambda host: False, has_campaign=False)
    assert (got.source, got.channel) == ("Google", "Organic Search")


def test_nothing_that_may_name_a_person_is_left_in_source_or_referrer() -> None:
    got = found("https://other.example/u/jean@example.org/a", "utm_source=jean@example.org")
    assert (got.source, got.referrer) == ("[email]", "other.example/u/[email]/a")


@pytest.mark.parametrize(
    ("host", "is_named"),
    [("semalt.com", True), ("a.b.semalt.com", True), ("notsemalt.com", False), ("com", False), ("mine.example", True)],
)
def test_spam_is_known_by_its_host_and_by_the_operators_list(host: str, is_named: bool) -> None:
    own = read_hosts("# mine\n\nMine.example\r\nwww.other.example\n")
    assert own == {"mine.example", "other.example"}
    assert is_spam(host, (known_spam(), own)) is is_named


def test_no_known_source_is_on_the_list_of_spam() -> None:
    assert [host for host in known_sources().hosts if is_spam(host, (known_spam(),))] == []
