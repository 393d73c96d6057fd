# ruff: noqa: E501
"""Take the pictures of the banner that stand in docs/images: layouts, themes, French and Arabic, desktop and 320 px."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.lab import Lab, open_lab, policy_document  # noqa: E402
from tests.chromium import FLAGS, find_chromium  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SCREENS = {"desktop": (1366, 768), "320": (320, 640)}
ARABIC = {
    "name": "صحيفة الصباح",
    "title": "قياس عدد القراء",
    "description": "معرفة الصفحات المقروءة ومصدر القراء ونوع الجهاز والبلد، لتحسين الموقع.",
}
STYLE = """
:root { color-scheme: light dark }
body { margin: 0; font: 18px/1.6 Georgia, "Noto Serif", "Noto Naskh Arabic", serif }
header { display: flex; gap: 12px 28px; align-items: baseline; flex-wrap: wrap; padding: 20px max(20px, 50% - 560px);
  border-bottom: 1px solid GrayText }
header b { font-size: 1.5em } header a { color: inherit; font: 16px system-ui; text-decoration: none }
main { max-width: 720px; padding: 28px 20px 0; margin: auto }
h1 { font-size: clamp(26px, 4vw, 44px); line-height: 1.2; margin: 0 0 12px }
.lead { font-size: 1.15em }
"""
WORDS = {
    "fr": (
        "Les Nouvelles du Matin",
        ("Actualités", "Culture", "Sciences", "Opinions"),
        "La bibliothèque du port rouvre après trois ans de travaux",
        "Deux salles de lecture donnent désormais sur les quais, et les horaires s'allongent jusqu'à 22 heures.",
        "Ce matin, une longue file s'étirait déjà devant les grandes portes de bois. Les habitants du quartier attendaient "
        "ce jour depuis l'hiver où la toiture avait cédé sous la neige. Les rayonnages ont été reconstruits à l'identique, "
        "et les cartes marines, sauvées une à une, ont retrouvé leur place au premier étage.",
    ),
    "ar": (
        ARABIC["name"],
        ("الأخبار", "الثقافة", "العلوم", "الرأي"),
        "مكتبة الميناء تفتح أبوابها من جديد بعد ثلاث سنوات من الترميم",
        "قاعتان للمطالعة تطلان الآن على الأرصفة، وساعات العمل تمتد حتى العاشرة مساءً.",
        "منذ الصباح امتد صف طويل أمام الأبواب الخشبية الكبيرة. كان سكان الحي ينتظرون هذا اليوم منذ الشتاء الذي انهار فيه "
        "السقف تحت الثلج. أعيد بناء الرفوف كما كانت، وعادت الخرائط البحرية التي أُنقذت واحدة تلو الأخرى إلى مكانها.",
    ),
}


def policy(language: str) -> dict[str, Any]:
    """Give the news site's policy in a language."""
    document = policy_document(language)
    if language == "ar":
        document["controller"]["name"] = ARABIC["name"]
        document["purposes"][0] |= {part: {"ar": ARABIC[part]} for part in ("title", "description")}
    return document


def article(lab: Lab, key: str, language: str) -> str:
    """Serve an article of a news site and give its address."""
    name, sections, title, lead, text = WORDS[language]
    links = "".join(f'<a href="#">{section}</a>' for section in sections)
    body = (
        f'<header><b>{name}</b>{links}</header><main><h1>{title}</h1><p class="lead">{lead}</p>'
        f"<p>{text}</p><p>{text}</p><p>{text}</p></main>"
    )
    head = f"<style>{STYLE}</style>{lab.tag(key)}"
    direction = 'dir="rtl"' if language == "ar" else ""
    return lab.page(f"/picture/{key}", head, body, lang=language, attributes=direction)


def take(browser: Browser, url: str, theme: str, screen: str, path: Path) -> None:
    """Take one picture, with the banner as a visitor meets it."""
    width, height = SCREENS[screen]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    page.locator('[data-action="accept"]').wait_for()
    page.screenshot(path=path)
    context.close()


def main() -> None:
    """Take them all into the folder named on the command line, docs/images without one."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    with (
        tempfile.TemporaryDirectory() as directory,
        open_lab(Path(directory)) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        for layout in ("bar", "corner", "dialog"):
            for language in WORDS:
                key = lab.site(policy(language), banner={"layout": layout, "theme": "auto"})
                url = article(lab, key, language)
                for theme in ("light", "dark"):
                    for screen in SCREENS:
                        name = f"banner-{layout}-{theme}-{language}-{screen}.png"
                        take(browser, url, theme, screen, folder / name)
                        print(name, (folder / name).stat().st_size)
        browser.close()


if __name__ == "__main__":
    main()
