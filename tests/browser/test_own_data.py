"""From a firm's own file to its own model in a real browser, on a phone and on a desk, with and without JavaScript."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_story import DESK, PHONE, browser, faults, fits, open_page
from tests.processes import Running
from tests.services.models.own_data import energy_csv

__all__ = ["browser", "faults"]

LONG_MS = 180_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A GBK file with a title above, a total below, and a ratio that gives the energy away."""
    first, *lines = energy_csv(200).decode("gb18030").splitlines()
    rows = ["某车间 5 月记录,,,,", f"{first},单耗(kWh/kg)"]
    for line in lines:
        _, output, _, energy = line.split(",")
        rows.append(f"{line},{float(energy) / float(output):.4f}")
    path = tmp_path / "五月.csv"
    path.write_bytes(("\n".join([*rows, "合计,1,,2,"]) + "\n").encode("gb18030"))
    return path


def uploaded(page: Page, url: str, file: Path) -> None:
    page.goto(f"{url}/data")
    assert fits(page)
    page.set_input_files("#file", file)
    page.click("form.upload button")
    page.wait_for_url("**/data/mod-dataset-*")
    page.wait_for_selector("#train", timeout=LONG_MS)


@pytest.mark.slow
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_from_a_file_to_a_model_and_a_predicted_file(
    embedded: Running, browser: Browser, faults: list[str], viewport: dict[str, int], file: Path
) -> None:
    page = open_page(browser, faults, viewport=viewport)
    uploaded(page, embedded.url, file)
    text = page.inner_text("main")
    assert "200 行 × 5 列" in text and "标题" in text and "合计" in text
    assert fits(page)
    page.select_option("#target", "电量")
    page.locator("#train form").first.locator("button").click()
    page.wait_for_selector("#title")
    assert "电量 = 产量 × 单耗" in page.inner_text("#train")
    assert not page.locator("input[name=features][value=单耗]").is_checked()
    assert page.locator("input[name=features][value=产量]").is_checked()
    assert fits(page)
    page.click("form[action$='/train'] button")
    page.wait_for_url("**/jobs/mod-job-*")
    page.wait_for_selector(".verdict.yes", timeout=LONG_MS)
    assert "平均绝对误差" in page.inner_text("main") and fits(page)
    page.locator("a[href^='/components/own-']").click()
    page.wait_for_selector("#own-file")
    assert fits(page)
    page.set_input_files("#own-file", file)
    page.click("form.upload button")
    page.wait_for_selector(".verdict.yes", timeout=LONG_MS)
    assert "200 / 200" in page.inner_text("main")
    with page.expect_download() as download:
        page.locator("a[href$='/result']").click()
    header = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()[0]
    assert header.endswith("value,low,high,in_range,warnings")
    # Another browser is another guest.
    other = open_page(browser, [], viewport=viewport)
    assert other.goto(page.url).status in (401, 404)  # type: ignore[union-attr]
    assert faults == []


@pytest.mark.slow
def test_the_same_without_javascript(embedded: Running, browser: Browser, faults: list[str], file: Path) -> None:
    page = open_page(browser, faults, viewport=PHONE, java_script_enabled=False)
    uploaded(page, embedded.url, file)
    page.goto(f"{page.url}?target=单耗")
    page.click("form[action$='/train'] button")
    page.wait_for_url("**/jobs/mod-job-*")
    expect(page.locator(".verdict")).to_be_visible(timeout=LONG_MS)
