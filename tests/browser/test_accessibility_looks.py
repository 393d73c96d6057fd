"""What the eye needs: size, contrast, equal choices, and the visitor's own colours, motion, text size and paper."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.stage import ARTICLE, LAYOUTS, Visitor, close, open_centre, panel, part, show, site_of

FRAME = '<iframe data-consent="marketing" data-src="https://player.example/v" title="Film" width="480"></iframe>'
WITH_FRAME = f"<main><h1>Une</h1>{FRAME}</main>"
# Every element of ours, in the banner and in what stands for a frame.
OURS = """
    const ours = [...document.querySelectorAll("consent-banner, consent-frame")]
        .flatMap((host) => [...host.shadowRoot.querySelectorAll("*")]).filter((element) => element.getClientRects().length);
    const parent = (element) => element.parentElement || element.getRootNode().host;
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const ratio = (one, other) => {
        const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
        return (bright + 0.05) / (dark + 0.05);
    };
    const ground = (element) => {
        for (let at = element; at; at = parent(at)) {
            const color = rgba(getComputedStyle(at).backgroundColor);
            if (color[3] === 255) return color;
        }
        return [255, 255, 255, 255];
    };
    const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const texts = ours.filter((element) => hasText(element) && element.className !== "said");
"""
TEXTS = f"""() => {{ {OURS}
    return texts.map((element) => {{
        const style = getComputedStyle(element);
        return [element.outerHTML.slice(0, 60), parseFloat(style.fontSize), ratio(rgba(style.color), ground(element))];
    }});
}}"""
# The contrast of what marks a thing's bounds with what is around it: a border, or the colour of a button.
BOUNDS = f"""() => {{ {OURS}
    const found = [];
    for (const element of ours.filter((each) => each.matches(".panel, button, input, .frame"))) {{
        const style = getComputedStyle(element, element.localName === "input" ? "::before" : null);
        const around = ground(parent(element));
        const inside = rgba(style.backgroundColor), edge = rgba(style.borderTopColor);
        const best = [inside, edge].filter((color) => color[3] === 255).map((color) => ratio(color, around));
        found.push([element.outerHTML.slice(0, 60), Math.max(...best)]);
    }}
    return found;
}}"""
TARGETS = f"""() => {{ {OURS}
    return ours.filter((element) => element.matches("button, input, summary")).map((element) => {{
        const {{ width, height }} = element.getBoundingClientRect();
        return [element.outerHTML.slice(0, 60), width, height];
    }});
}}"""
CHOICE = """(button) => {
    const { width, height } = button.getBoundingClientRect(), style = getComputedStyle(button);
    return { size: [width, height], style: [button.localName, style.font, style.color, style.backgroundColor, style.border,
        style.borderRadius, style.padding, style.opacity, style.textDecoration, style.boxShadow, style.letterSpacing] };
}"""


def states(lab: Lab, page: Page, layout: str, theme: str = "auto", lang: str = "fr") -> Iterator[str]:
    """Go through everything that the client shows: each time something else is on the page."""
    show(lab, page, site_of(lab, layout, purposes=2, theme=theme), WITH_FRAME, lang=lang)
    expect(part(page, "allow")).to_be_attached()
    yield "first layer and stand-in"
    open_centre(page)
    for summary in page.locator("summary").all():
        summary.click()
    page.locator("input").first.check()
    yield "preference centre"
    close(page, "refuse")
    expect(part(page, "open")).to_be_visible()
    yield "way back"


THEMES = [("auto", "light"), ("auto", "dark"), ("light", "dark"), ("dark", "light")]


@pytest.mark.parametrize(("theme", "scheme"), THEMES)
def test_words_have_a_contrast_of_seven_and_bounds_of_three(
    lab: Lab, visitor: Visitor, theme: str, scheme: str
) -> None:
    page, _ = visitor(color_scheme=scheme)
    for state in states(lab, page, "bar", theme):
        words = page.evaluate(TEXTS)
        assert words, state
        assert [found for found in words if found[2] < 7] == [], state
        bounds = page.evaluate(BOUNDS)
        assert bounds, state
        assert [found for found in bounds if found[1] < 3] == [], state


@pytest.mark.parametrize(("theme", "scheme"), THEMES)
def test_the_theme_is_the_sites_or_the_visitors(lab: Lab, visitor: Visitor, theme: str, scheme: str) -> None:
    page, _ = visitor(color_scheme=scheme)
    show(lab, page, site_of(lab, "bar", purposes=2, theme=theme))
    surface = panel(page).evaluate("(panel) => getComputedStyle(panel).backgroundColor")
    levels = [int(level) for level in surface.removeprefix("rgb(").removesuffix(")").split(",")]
    is_dark = (scheme if theme == "auto" else theme) == "dark"
    assert (max(levels) < 60) if is_dark else (min(levels) > 240), surface


@pytest.mark.parametrize("width", [320, 1366])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_targets_are_44_pixels_and_text_is_never_under_16(lab: Lab, visitor: Visitor, layout: str, width: int) -> None:
    page, _ = visitor(viewport={"width": width, "height": 640})
    for state in states(lab, page, layout):
        targets = page.evaluate(TARGETS)
        assert [found for found in targets if found[1] < 44 or found[2] < 44] == [], state
        assert [found for found in page.evaluate(TEXTS) if found[1] < 16] == [], state


@pytest.mark.parametrize(("root", "expected"), [("62.5%", 16), ("100%", 16), ("200%", 32)])
def test_text_follows_a_larger_setting_and_never_a_smaller_one(
    lab: Lab, visitor: Visitor, root: str, expected: int
) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "bar", purposes=2), head=f"<style>html{{font-size:{root}}}</style>")
    open_centre(page)
    sizes = [found[1] for found in page.evaluate(TEXTS)]
    assert min(sizes) == expected


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("width", [320, 700, 1366])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_two_choices_are_equal_in_everything_but_their_word(
    lab: Lab, visitor: Visitor, layout: str, width: int, lang: str
) -> None:
    page, _ = visitor(viewport={"width": width, "height": 800})
    show(lab, page, site_of(lab, layout, purposes=2), lang=lang)
    steps: list[Callable[[], object]] = [lambda: None, lambda: open_centre(page)]
    for opens in steps:
        opens()
        refuse, accept = (part(page, action).evaluate(CHOICE) for action in ("refuse", "accept"))
        assert refuse["style"] == accept["style"]
        assert refuse["size"] == pytest.approx(accept["size"], abs=0.5)
        boxes = [part(page, action).bounding_box() for action in ("refuse", "accept")]
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert boxes[0]["y"] == boxes[1]["y"]


def test_links_inside_a_sentence_are_underlined(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "bar", purposes=2))
    steps: list[Callable[[], object]] = [lambda: None, lambda: open_centre(page)]
    for opens in steps:
        opens()
        for link in panel(page).locator("a").all():
            expect(link).to_have_css("text-decoration-line", "underline")


def test_the_focus_is_marked_by_a_ring_that_stands_out(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor()
    show(lab, page, site_of(lab, "bar", purposes=2))
    open_centre(page)
    seen = []
    for _ in range(9):
        page.keyboard.press("Tab")
        found = page.evaluate(
            f"""() => {{ {OURS}
                const element = document.activeElement.shadowRoot?.activeElement;
                if (!element) return null;
                const style = getComputedStyle(element);
                return [element.localName, style.outlineStyle, parseFloat(style.outlineWidth),
                    ratio(rgba(style.outlineColor), ground(parent(element)))];
            }}"""
        )
        if found:
            seen.append(found)
    assert {found[0] for found in seen} >= {"a", "input", "summary", "button"}
    assert [found for found in seen if found[1] != "solid" or found[2] < 2 or found[3] < 3] == []


# Reads a screenshot with the browser's own decoder: the share of an element's pixels that differ from its corner's.
PIXELS = """async ([shot, box]) => {
    const image = await createImageBitmap(await (await fetch("data:image/png;base64," + shot)).blob());
    const canvas = new OffscreenCanvas(box.width, box.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    return [...canvas.getImageData(0, 0, box.width, box.height).data];
}"""


def colors_of(page: Page, selector: str) -> dict[tuple[int, ...], int]:
    """Count the colours that an element is painted in."""
    target = page.locator(selector)
    shot = base64.b64encode(target.screenshot()).decode()
    box = target.bounding_box()
    assert box is not None
    sizes = {"width": round(box["width"]), "height": round(box["height"])}
    with page.context.new_page() as blank:
        data = blank.evaluate(PIXELS, [shot, sizes])
    counted: dict[tuple[int, ...], int] = {}
    for at in range(0, len(data), 4):
        color = tuple(data[at : at + 3])
        counted[color] = counted.get(color, 0) + 1
    return counted


def test_in_forced_colours_buttons_have_borders_and_switches_show_their_state(lab: Lab, visitor: Visitor) -> None:
    page, _ = visitor(forced_colors="active")
    show(lab, page, site_of(lab, "bar", purposes=2))
    open_centre(page)
    for button in panel(page).locator("button").all():
        border, face = button.evaluate(
            "(button) => [getComputedStyle(button).borderTopColor, getComputedStyle(button).backgroundColor]"
        )
        assert border != face
        expect(button).to_have_css("border-top-style", "solid")
    name = 'input[data-purpose="analytics"]'
    off = colors_of(page, name)
    page.locator(name).press("Space")
    page.wait_for_function("document.querySelector('consent-banner').shadowRoot.querySelector('input').checked")
    on = colors_of(page, name)
    surface = max(off, key=lambda color: off[color])
    marked = [sum(count for color, count in colors.items() if color != surface) for colors in (off, on)]
    assert 0 < marked[0] * 1.5 < marked[1]


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_those_who_want_less_motion(lab: Lab, visitor: Visitor, motion: str, moves: bool) -> None:
    page, _ = visitor(reduced_motion=motion)
    show(lab, page, site_of(lab, "bar", purposes=2))
    open_centre(page)
    durations = page.evaluate(
        f"""() => {{ {OURS}
            return ours.flatMap((element) => [null, "::before", "::after"].map((part) => {{
                const style = getComputedStyle(element, part);
                return [...style.transitionDuration.split(","), ...style.animationDuration.split(",")];
            }})).flat().map(parseFloat);
        }}"""
    )
    assert any(duration > 0 for duration in durations) is moves


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_of_ours_is_printed(lab: Lab, visitor: Visitor, layout: str) -> None:
    page, _ = visitor()
    plain = lab.page("/plain", "", ARTICLE)
    page.emulate_media(media="print")
    page.goto(plain)
    height = page.evaluate("document.documentElement.scrollHeight")
    page.emulate_media(media="screen")
    show(lab, page, site_of(lab, layout, purposes=2), ARTICLE + FRAME)
    expect(part(page, "allow")).to_be_attached()
    steps: list[Callable[[], object]] = [lambda: None, lambda: open_centre(page), lambda: close(page)]
    for opens in steps:
        opens()
        page.emulate_media(media="print")
        assert page.evaluate(f"() => {{ {OURS} return ours.length; }}") == 0
        assert page.evaluate("getComputedStyle(document.documentElement, '::after').display") in ("none", "inline")
        assert page.evaluate("document.querySelector('main').getBoundingClientRect().height") <= height
        page.emulate_media(media="screen")
