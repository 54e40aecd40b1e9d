"""Words while somebody types into the search box, in a real browser: by Chinese, by initials, by keys and by a tap."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.test_story import DESK, PHONE, browser, faults, fits, open_page
from tests.processes import Running

__all__ = ["browser", "faults"]

ASKED = re.compile(r"/api/v1/suggest\?")


def box(page: Page) -> Locator:
    return page.get_by_role("search").get_by_role("combobox")


def options(page: Page) -> Locator:
    return page.get_by_role("listbox").get_by_role("option")


def asked_of(page: Page) -> list[str]:
    """The texts that the page asks suggestions for, from now on."""
    texts: list[str] = []
    page.on("request", lambda request: texts.append(q_of(request.url)) if ASKED.search(request.url) else None)
    return texts


def q_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["q"][0]


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_beginning_in_chinese_is_chosen_by_keys_and_searched(
    platform: Running, browser: Browser, faults: list[str], viewport: dict[str, int]
) -> None:
    page = open_page(browser, faults, viewport=viewport)
    page.goto(platform.url)
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    box(page).press_sequentially("定型")
    expect(options(page).first).to_be_visible()
    expect(box(page)).to_have_attribute("aria-expanded", "true")
    assert box(page).get_attribute("aria-controls") == page.get_by_role("listbox").get_attribute("id")
    assert all(text.startswith("定型") for text in options(page).all_inner_texts())
    expect(options(page).first.locator("mark")).to_have_text("定型")
    expect(options(page).first.locator("small")).to_have_text("术语")
    assert fits(page)
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    assert box(page).get_attribute("aria-activedescendant") == options(page).first.get_attribute("id")
    expect(box(page)).to_have_value("定型")
    chosen = options(page).first.locator("span").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")
    assert q_of(page.url) == chosen
    expect(page.locator("h1")).to_contain_text(chosen)
    assert page.locator(".results li").count() > 0
    assert faults == []
    page.context.close()


def test_initials_find_the_word_and_a_tap_searches_it(embedded: Running, browser: Browser, faults: list[str]) -> None:
    page = open_page(browser, faults, viewport=PHONE, has_touch=True)
    page.goto(f"{embedded.url}/subsidy")
    box(page).press_sequentially("kyj")
    found = options(page).filter(has_text=re.compile("^空压机 "))
    expect(found).to_be_visible()
    assert fits(page)
    found.tap()
    page.wait_for_url("**/search?**")
    assert q_of(page.url) == "空压机"
    assert faults == []
    page.context.close()


def test_enter_without_a_choice_searches_what_was_typed(embedded: Running, browser: Browser, faults: list[str]) -> None:
    page = open_page(browser, faults, viewport=DESK)
    page.goto(f"{embedded.url}/?lang=en")
    box(page).press_sequentially("kyj")
    expect(options(page).first).to_be_visible()
    expect(options(page).first.locator("small")).to_have_text("Term")
    # Past the last word, and back past the first, the choice is again what was typed.
    page.keyboard.press("ArrowUp")
    expect(options(page).last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(box(page)).not_to_have_attribute("aria-activedescendant", re.compile("."))
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")
    assert q_of(page.url) == "kyj" and "lang=en" in page.url
    assert faults == []
    page.context.close()


def test_escape_closes_the_list_and_keeps_the_text(embedded: Running, browser: Browser, faults: list[str]) -> None:
    page = open_page(browser, faults, viewport=DESK)
    page.goto(embedded.url)
    asked = asked_of(page)
    box(page).press_sequentially("空压")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    expect(box(page)).to_have_value("空压")
    expect(box(page)).to_be_focused()
    before = len(asked)
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_be_visible()
    assert len(asked) == before, "what was answered a moment ago is asked for again"
    page.keyboard.press("Tab")
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert faults == []
    page.context.close()


def test_fast_typing_asks_once_and_an_empty_box_shows_nothing(
    embedded: Running, browser: Browser, faults: list[str]
) -> None:
    page = open_page(browser, faults, viewport=DESK)
    page.clock.install()
    page.goto(embedded.url)
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    asked = asked_of(page)
    box(page).press_sequentially("kong")
    page.clock.run_for(100)
    box(page).press_sequentially("yaji")
    page.clock.run_for(100)
    assert asked == []
    page.clock.run_for(100)
    expect(options(page).first).to_be_visible()
    assert asked == ["kongyaji"]
    box(page).clear()
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.clock.run_for(1000)
    assert asked == ["kongyaji"] and faults == []
    page.context.close()


def test_nothing_is_asked_while_an_input_method_composes(
    embedded: Running, browser: Browser, faults: list[str]
) -> None:
    page = open_page(browser, faults, viewport=PHONE)
    page.clock.install()
    page.goto(embedded.url)
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    asked = asked_of(page)
    box(page).focus()
    method = page.context.new_cdp_session(page)
    for letters in ("k", "kong", "kong ya"):
        method.send("Input.imeSetComposition", {"text": letters, "selectionStart": 0, "selectionEnd": len(letters)})
        page.clock.run_for(1000)
    expect(box(page)).to_have_value("kong ya")
    # Keys belong to the input method meanwhile.
    box(page).dispatch_event("keydown", {"key": "ArrowDown", "isComposing": True})
    page.clock.run_for(1000)
    assert asked == []
    method.send("Input.insertText", {"text": "空压"})
    page.clock.run_for(200)
    expect(options(page).filter(has_text="空压机").first).to_be_visible()
    assert asked == ["空压"] and faults == []
    box(page).dispatch_event("compositionstart")
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.context.close()


def test_an_old_answer_never_replaces_a_newer_one(embedded: Running, browser: Browser, faults: list[str]) -> None:
    page = open_page(browser, faults, viewport=DESK)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if q_of(route.request.url) == "定型":
            held.append(route)
        else:
            route.continue_()

    page.route(ASKED, hold)
    page.goto(embedded.url)
    with page.expect_request(ASKED):
        box(page).press_sequentially("定型")
    box(page).fill("空压")
    expect(options(page).first).to_contain_text("空压")
    assert held and held[0].request.failure, "a call that nobody waits for any more goes on"
    held[0].fulfill(json={"items": [{"text": "定型机", "type": "term"}]})
    # A newer call that was answered shows that the old answer had its time.
    page.evaluate("fetch('/healthz').then((answer) => answer.text())")
    expect(options(page).first).to_contain_text("空压")
    expect(options(page).filter(has_text="定型")).to_have_count(0)
    assert faults == []
    page.context.close()


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_refusal_shows_nothing_and_is_not_asked_again_at_once(
    embedded: Running, browser: Browser, faults: list[str], status: int
) -> None:
    page = open_page(browser, faults, viewport=PHONE)
    page.clock.install()
    page.goto(embedded.url)
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    page.route(ASKED, lambda route: route.fulfill(status=status, headers={"Retry-After": "60"}, json={}))
    asked = asked_of(page)
    with page.expect_response(ASKED):
        box(page).press_sequentially("空")
        page.clock.run_for(200)
    box(page).press_sequentially("压")
    page.clock.run_for(55_000)
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert asked == (["空", "空压"] if status == 500 else ["空"])
    page.unroute(ASKED)
    page.clock.run_for(10_000)
    page.keyboard.type("机")
    page.clock.run_for(200)
    expect(options(page).first).to_be_visible()
    assert all(str(status) in fault for fault in faults), faults
    page.context.close()


def test_without_javascript_the_box_is_the_plain_one(embedded: Running, browser: Browser, faults: list[str]) -> None:
    page = open_page(browser, faults, viewport=PHONE, java_script_enabled=False)
    for path in ("/", "/subsidy"):
        page.goto(f"{embedded.url}{path}")
        expect(page.get_by_role("searchbox")).to_be_visible()
        assert page.get_by_role("listbox").count() == 0
    page.get_by_role("searchbox").press_sequentially("空压机")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")
    assert q_of(page.url) == "空压机"
    page.context.close()
