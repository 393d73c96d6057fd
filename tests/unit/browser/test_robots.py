"""Robots are told by name, programs too unless they run on the machine itself; browsers of people never are."""

from __future__ import annotations

import crawleruseragents
import pytest

from consent_service.browser.device import read_device

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
ANDROID = "Mozilla/5.0 (Linux; Android 13; SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile "


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot",
        f"{CHROME}HeadlessChrome/120.0.0.0 Safari/537.36 (compatible; Googlebot/2.1)",
        f"{CHROME}Chrome/120.0.0.0 Safari/537.36 Chrome-Lighthouse",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "UptimeRobot/2.0",
    ],
)
def test_a_robot_is_one_wherever_it_runs(user_agent: str) -> None:
    assert read_device(user_agent).is_bot
    assert read_device(user_agent, is_local=True).is_bot


@pytest.mark.parametrize(
    "user_agent",
    [
        f"{CHROME}HeadlessChrome/140.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh) AppleWebKit/534.34 (KHTML, like Gecko) PhantomJS/1.9.0 Safari/534.34",
        f"{CHROME}jsdom/22.1.0",
        "python-requests/2.32",
        "python-httpx/0.28.1",
        "curl/8.9.1",
        "Go-http-client/2.0",
        "okhttp/4.12",
    ],
)
def test_a_program_is_a_bot_but_on_the_machine_itself_it_is_a_test(user_agent: str) -> None:
    assert read_device(user_agent).is_bot
    assert not read_device(user_agent, is_local=True).is_bot


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        f"{CHROME}Chrome/140.0.0.0 Safari/537.36",
        f"{CHROME}Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
        f"{CHROME}Chrome/140.0.0.0 Safari/537.36 OPR/110.0.0.0",
        f"{CHROME}Chrome/140.0.0.0 Safari/537.36 Vivaldi/7.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        f"{MAC}Version/18.0 Safari/605.1.15",
        f"{MAC}Version/18.0 Safari/605.1.15 Ddg/18.0",
        f"{IPHONE}Version/18.0 Mobile/15E148 Safari/604.1",
        f"{IPHONE}GSA/300.0 Mobile/15E148 Safari/604.1",
        f"{IPHONE}CriOS/140.0 Mobile/15E148 Safari/604.1",
        f"{IPHONE}FxiOS/140.0 Mobile/15E148 Safari/605.1.15",
        f"{IPHONE}Mobile/15E148 [FBAN/FBIOS;FBAV/450.0;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBLC/fr_FR]",
        f"{IPHONE}Mobile/15E148 Instagram 300.0.0.0 (iPhone15,2; iOS 17_0; fr_FR)",
        f"{IPHONE}Mobile/15E148 LinkedInApp/9.30",
        f"{ANDROID}Safari/537.36",
        f"{ANDROID}Safari/537.36 [Pinterest/Android]",
        f"{ANDROID}Safari/537.36 Snapchat/12.9",
        f"{ANDROID}Safari/537.36 musical_ly_2023 BytedanceWebview/d8a21c6",
        f"{ANDROID}Safari/537.36 Flipboard/4.3",
        f"{ANDROID}Safari/537.36 DuckDuckGo/5",
        "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S921B) AppleWebKit/537.36 SamsungBrowser/28.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120 Safari/537.36 Teams/1.5 Electron/19",
        "x" * 5000,
    ],
)
def test_a_browser_of_a_person_is_none(user_agent: str) -> None:
    assert not read_device(user_agent).is_bot


def test_every_example_of_the_kept_list_is_known() -> None:
    told = [text for item in crawleruseragents.CRAWLER_USER_AGENTS_DATA for text in item["instances"]]
    assert len(told) > 1500
    assert [text for text in told if len(text) <= 512 and text.strip() and not read_device(text).is_bot] == []
