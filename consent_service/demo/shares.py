"""Say who reads the demo site and how they found it, in shares that a real paper could have (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final, Generic, TypeVar

T = TypeVar("T")


class Wheel(Generic[T]):
    """Draw values by their weights."""

    def __init__(self, values: Sequence[tuple[T, float]]) -> None:
        self._values = [value for value, _ in values]
        self._limits = list(accumulate(weight for _, weight in values))

    def draw(self, random: Random) -> T:
        """Give one value."""
        return random.choices(self._values, cum_weights=self._limits)[0]


@dataclass(frozen=True, slots=True)
class Country:
    """Hold a country's share of readers, how many of them refuse, and in which languages they read."""

    code: str
    share: float
    refusal_rate: float
    languages: Wheel[str]


@dataclass(frozen=True, slots=True)
class Browser:
    """Hold what is known of a reader's browser; `screen_width` is in CSS pixels."""

    device: str
    os: str
    os_version: str
    name: str
    version: str
    screen_width: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Hold a way to the site: what the browser sends, and under which names a report must show it."""

    channel: str
    source: str
    referrer: str
    query: str
    starts_at_home: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Hold one reader: country, language of the interface, browser."""

    country: str
    language: str
    browser: Browser


def _languages(fr: float, en: float, es: float) -> Wheel[str]:
    return Wheel([("fr", fr), ("en", en), ("es", es)])


COUNTRIES: Final = (
    Country("FR", 0.50, 0.47, _languages(96, 3, 1)),
    Country("BE", 0.07, 0.43, _languages(82, 17, 1)),
    Country("DE", 0.07, 0.58, _languages(28, 69, 3)),
    Country("ES", 0.08, 0.29, _languages(12, 8, 80)),
    Country("CH", 0.05, 0.45, _languages(80, 19, 1)),
    Country("CA", 0.06, 0.33, _languages(66, 33, 1)),
    Country("GB", 0.05, 0.31, _languages(14, 84, 2)),
    Country("US", 0.05, 0.24, _languages(12, 78, 10)),
    Country("IT", 0.02, 0.40, _languages(45, 45, 10)),
    Country("MA", 0.02, 0.27, _languages(95, 4, 1)),
    Country("PT", 0.01, 0.30, _languages(40, 35, 25)),
    Country("MX", 0.02, 0.26, _languages(3, 12, 85)),
)
_COUNTRY: Final = Wheel([(country, country.share) for country in COUNTRIES])
REFUSAL_RATES: Final = {country.code: country.refusal_rate for country in COUNTRIES}

_BROWSER: Final = Wheel(
    [
        (Browser("Mobile", "iOS", "18", "Mobile Safari", "18", 390), 0.255),
        (Browser("Mobile", "Android", "15", "Chrome Mobile", "141", 412), 0.20),
        (Browser("Mobile", "Android", "14", "Samsung Internet", "28", 384), 0.045),
        (Browser("Mobile", "Android", "15", "Firefox Mobile", "144", 412), 0.018),
        (Browser("Mobile", "iOS", "18", "Chrome Mobile iOS", "141", 393), 0.025),
        (Browser("Desktop", "Windows", "10", "Chrome", "141", 1536), 0.155),
        (Browser("Desktop", "Windows", "10", "Edge", "141", 1920), 0.075),
        (Browser("Desktop", "Windows", "10", "Firefox", "144", 1920), 0.045),
        (Browser("Desktop", "Mac OS X", "10", "Safari", "18", 1440), 0.062),
        (Browser("Desktop", "Mac OS X", "10", "Chrome", "141", 1512), 0.043),
        (Browser("Desktop", "Linux", "", "Firefox", "144", 1920), 0.019),
        (Browser("Desktop", "Ubuntu", "", "Firefox", "144", 1920), 0.011),
        (Browser("Tablet", "iOS", "18", "Mobile Safari", "18", 820), 0.035),
        (Browser("Tablet", "Android", "14", "Chrome", "141", 800), 0.012),
    ]
)

DIRECT: Final = Origin("Direct", "", "", "", 0.72)
_LINKEDIN: Final = Origin(
    "Organic Social", "LinkedIn", "https://www.linkedin.com/", "utm_source=linkedin&utm_medium=social", 0.05
)
_ORDINARY: Final = [
    (DIRECT, 0.29),
    (Origin("Organic Search", "Google", "https://www.google.com/", "", 0.12), 0.235),
    (Origin("News", "Google News", "https://news.google.com/", "", 0.0), 0.10),
    (Origin("Email", "newsletter", "", "utm_source=newsletter&utm_medium=email&utm_campaign=matinale", 0.15), 0.09),
    (Origin("Email", "newsletter", "", "utm_source=newsletter&utm_medium=email&utm_campaign=weekend", 0.05), 0.03),
    (Origin("Organic Search", "Bing", "https://www.bing.com/", "", 0.15), 0.045),
    (Origin("Organic Social", "Facebook", "https://l.facebook.com/", "", 0.02), 0.05),
    (Origin("News", "Flipboard", "https://flipboard.com/", "", 0.0), 0.03),
    (Origin("Organic Search", "DuckDuckGo", "https://duckduckgo.com/", "", 0.2), 0.025),
    (Origin("Organic Social", "Bluesky", "https://go.bsky.app/", "", 0.03), 0.022),
    (Origin("Organic Social", "Twitter", "https://t.co/", "", 0.02), 0.02),
    (_LINKEDIN, 0.018),
    (Origin("Organic Social", "Reddit", "https://www.reddit.com/", "", 0.0), 0.014),
    (Origin("Referral", "Wikipedia", "https://fr.wikipedia.org/", "", 0.05), 0.012),
    (Origin("AI Assistants", "ChatGPT", "https://chatgpt.com/", "", 0.05), 0.011),
    (Origin("Organic Search", "Ecosia", "https://www.ecosia.org/", "", 0.2), 0.008),
]
_GOING_ROUND: Final = [
    (Origin("Organic Social", "Hacker News", "https://news.ycombinator.com/", "", 0.0), 0.31),
    (Origin("Organic Social", "Reddit", "https://www.reddit.com/", "", 0.0), 0.24),
    (Origin("Organic Social", "Bluesky", "https://go.bsky.app/", "", 0.0), 0.13),
    (Origin("Organic Social", "Facebook", "https://l.facebook.com/", "", 0.0), 0.12),
    (Origin("Organic Social", "Twitter", "https://t.co/", "", 0.0), 0.1),
    (DIRECT, 0.1),
]
# Those who come back know the address.
_RETURNING: Final = [
    (origin, share * (2.2 if origin.source in ("", "newsletter") else 0.6)) for origin, share in _ORDINARY
]

ORDINARY: Final = Wheel(_ORDINARY)
GOING_ROUND: Final = Wheel(_GOING_ROUND)
RETURNING: Final = Wheel(_RETURNING)


def draw_profile(random: Random) -> Profile:
    """Draw a reader."""
    country = _COUNTRY.draw(random)
    return Profile(country.code, country.languages.draw(random), _BROWSER.draw(random))
