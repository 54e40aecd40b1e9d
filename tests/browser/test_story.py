"""The story of first light in a real browser, on a phone and on a desk, with and without JavaScript."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.processes import Running

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def browser(chromium_binary: str) -> Iterator[Browser]:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory():
        started = playwright.chromium.launch(executable_path=chromium_binary, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def faults() -> list[str]:
    """What the browser complains about: script errors, refused styles, failed requests."""
    return []


def open_page(browser: Browser, faults: list[str], **context: Any) -> Page:
    page = browser.new_context(locale="zh-CN", **context).new_page()
    page.set_default_timeout(20_000)
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda wrong: faults.append(str(wrong)))
    return page


def fits(page: Page) -> bool:
    """Whether nothing sticks out at the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_from_the_complaint_to_the_subsidy(
    platform: Running, browser: Browser, faults: list[str], viewport: dict[str, int]
) -> None:
    page = open_page(browser, faults, viewport=viewport)
    page.goto(platform.url)
    assert fits(page)
    page.fill("input[name=q]", "定型机能耗太高怎么办")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")
    assert fits(page)
    assert page.locator(".results mark").count() > 0

    page.locator(".results a[href^='/solutions/dyeing-stenter']").first.click()
    page.wait_for_url("**/solutions/**")
    assert fits(page)
    text = page.inner_text("main")
    assert "行业经验" in text and "不适用于您的机器" in text and "987" in text

    page.locator("a[href^='/components/stenter-heat-balance']").first.click()
    page.wait_for_url("**/components/stenter-heat-balance*")
    assert "987.4" in page.inner_text("#answer")
    page.fill("#f-fabric_kg_h", "450")
    page.locator("form[data-swap='#answer'] button").click()
    expect(page.locator("#answer")).to_contain_text("292.5 kg/h")  # 450 x 0.65
    page.fill("#f-fabric_kg_h", "many")
    page.locator("form[data-swap='#answer'] button").click()
    page.wait_for_selector("#answer [role=alert]")
    assert fits(page)

    page.goto(f"{platform.url}/components/steel-energy")
    assert "不适用于您的机器" in page.inner_text("main") and page.locator("svg.chart polyline").count() == 1

    page.goto(f"{platform.url}/subsidy?solution=dyeing-stenter-heat-recovery")
    assert "尚不能判断" in page.inner_text("#estimate")
    page.fill("#n-equipment_investment", "200000000")
    expect(page.locator("#estimate .figure")).to_contain_text("15,000,000")
    page.check("input[name=recognised][value=yes]")
    expect(page.locator("#estimate .verdict").first).to_have_text("符合")
    expect(page.locator("#estimate")).to_contain_text("10 %")
    assert fits(page)
    # The refused value is an answer that the browser's console may call an error; nothing else may.
    assert not [fault for fault in faults if "422" not in fault], faults
    page.context.close()


def test_everything_works_without_javascript(embedded: Running, browser: Browser, faults: list[str]) -> None:
    page = open_page(browser, faults, viewport=PHONE, java_script_enabled=False)
    page.goto(f"{embedded.url}/components/stenter-heat-balance")
    page.fill("#f-fabric_kg_h", "450")
    page.locator("form[data-swap='#answer'] button").click()
    page.wait_for_load_state()
    assert "292.5 kg/h" in page.inner_text("#answer")
    page.goto(f"{embedded.url}/subsidy?equipment_investment=20000000&technology_investment=5000000&recognised=yes")
    assert "3,000,000" in page.inner_text("#estimate")
    assert page.locator("#estimate .verdict.yes").count() >= 1
    page.context.close()


@pytest.mark.parametrize(
    "path", ["/", "/search?q=断纸", "/components", "/subsidy", "/solutions/paper-web-break-analysis"]
)
def test_pages_speak_english_when_asked(embedded: Running, browser: Browser, faults: list[str], path: str) -> None:
    page = open_page(browser, faults, viewport=DESK)
    page.goto(f"{embedded.url}{path}{'&' if '?' in path else '?'}lang=en")
    assert page.get_attribute("html", "lang") == "en"
    assert page.locator("nav a[href*='lang=en']").count() >= 4
    assert "[" not in page.inner_text("header"), "a word is missing from the catalogue"
    assert not faults
    page.context.close()


def test_a_page_that_is_not_there_says_so(embedded: Running, browser: Browser, faults: list[str]) -> None:
    page = open_page(browser, faults, viewport=PHONE)
    answer = page.goto(f"{embedded.url}/solutions/no-such-solution")
    assert answer is not None and answer.status == 404
    assert "no-such-solution" in page.inner_text("main")
    page.context.close()
