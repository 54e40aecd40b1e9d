"""The portal's form with tables and its job page, without JavaScript: pasted from a spreadsheet, sent, watched, read."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from shared.jobs.worker import one_round
from shared.settings import Settings
from zhigai import platform

FORM = {
    "operations": "工序\t工时 (s)\t前道工序\r\n裁片\t20\t\r\n合肩\t25\t裁片\r\n上领\t50\t合肩\r\n",
    "demand": "480",
    "shift_s": "28800",
    "seconds": "5",
}


class Browser:
    """One browser's cookies, and the worker that turns when it is asked to."""

    def __init__(self, settings: Settings) -> None:
        platform.migrate(settings)
        platform.seed(settings)
        self.made = platform.all_in_one(settings)
        self.client = Client(self.made.wsgi)
        self._settings = settings

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers=headers)

    def post(self, path: str, data: dict[str, str], **headers: str) -> TestResponse:
        return self.client.post(path, data=data, headers=headers)

    def ended(self, address: str) -> str:
        """The part of the page once the job has ended, done here or by the worker that the platform started."""
        works, waits = platform.works(self._settings), threading.Event()
        for _ in range(600):
            found = self.get(address, **{"X-Partial": "1"}).text
            if "data-poll" not in found:
                return found
            one_round(works, 60)
            waits.wait(0.1)
        raise AssertionError("the job does not end")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    from shared.settings import Secret

    settings = Settings(home=tmp_path_factory.mktemp("home"), secret=Secret("s" * 40), port=0)
    browser = Browser(settings)
    yield browser
    browser.made.stop()


def text_of(answer: TestResponse) -> str:
    return re.sub(r"\s+", " ", answer.get_data(as_text=True))


def test_the_form_starts_from_the_example_as_a_spreadsheet_would_paste_it(browser: Browser) -> None:
    page = text_of(browser.get("/components/line-balance"))
    area = re.search(
        r"<textarea id=\"f-operations\".*?>(.*?)</textarea>", browser.get("/components/line-balance").text, re.DOTALL
    )
    assert area is not None
    assert area[1].splitlines()[0] == "工序\t工时 (s)\t前道工序"
    assert 'class="gantt"' in page
    assert "工位安排" in page


def test_a_pasted_table_is_sent_watched_and_answered(browser: Browser) -> None:
    sent = browser.post("/components/line-balance", FORM)
    assert sent.status_code == 303
    address = sent.headers["Location"]
    waiting = browser.get(address)
    assert waiting.status_code == 200
    if "data-poll" in waiting.text:
        assert '<noscript><meta http-equiv="refresh"' in waiting.text
    browser.ended(address)
    page = text_of(browser.get(address))
    assert "工位数" in page
    assert "工位安排" in page
    assert "meta http-equiv" not in page
    assert "合肩" in page
    assert "Stations" in text_of(browser.get(f"{address}?lang=en"))


def test_another_browser_does_not_see_the_job_and_its_own_cancels_it(browser: Browser) -> None:
    steps = [
        f"J{job},M{(job * step + 3 * step) % 11},{1 + (job * 17 + step * 29) % 40}"
        for job in range(20)
        for step in range(1, 11)
    ]
    form = {"operations": "\n".join(["工单,设备,工时", *steps]), "seconds": "60"}
    address = browser.post("/components/job-shop-schedule", form).headers["Location"]
    assert Client(browser.made.wsgi).get(address).status_code in (401, 404)
    assert browser.post(address, {}).headers["Location"] == address
    assert "已取消" in browser.ended(address)


def test_with_the_script_the_form_stays_and_the_job_is_shown_in_place(browser: Browser) -> None:
    part = browser.post("/components/line-balance", FORM, **{"X-Partial": "1"})
    found = re.search(r'data-poll="([^"]+)"', part.text)
    assert found is not None
    assert "<html" not in part.text
    assert "工位安排" in browser.ended(found[1])


@pytest.mark.parametrize("partial", [{}, {"X-Partial": "1"}], ids=["page", "partial"])
def test_a_bad_cell_is_told_by_row_and_column_and_the_text_stays(browser: Browser, partial: dict[str, str]) -> None:
    wrong = {**FORM, "operations": "工序,工时\n裁片,20\n合肩,很久\n"}
    page = browser.post("/components/line-balance", wrong, **partial).text
    assert "第 2 行 工时 (s)：" in page
    assert "很久" in page


def test_what_the_solver_refuses_is_said_on_the_jobs_page(browser: Browser) -> None:
    ring = {**FORM, "operations": "工序,工时,前道工序\na,1,b\nb,1,a\n"}
    address = browser.post("/components/line-balance", ring).headers["Location"]
    assert "成环" in browser.ended(address)


@pytest.mark.parametrize("name", ["panel-cutting", "dye-vat-sequence", "paper-trim", "peak-shift", "cloth-cut-plan"])
def test_every_plan_is_shown_with_its_example_in_both_languages(browser: Browser, name: str) -> None:
    for language in ("zh", "en"):
        answer = browser.get(f"/components/{name}?lang={language}")
        assert answer.status_code == 200
        assert '<table class="list">' in answer.text


def test_a_matrix_is_pasted_with_its_names(browser: Browser) -> None:
    from services.portal.pages.tables import matrix_of

    text = "\t浅\t深\n浅\t0\t10\n深\t40\t0\n"
    assert matrix_of(text) == [[0, 10], [40, 0]]
    assert matrix_of("0 10\n40 0") == [[0, 10], [40, 0]]


Reader = Callable[[str], list[dict[str, Any]]]


@pytest.mark.parametrize(
    "text",
    [
        "工序\t工时 (s)\na\t1,200\nb\t3\n",
        "Operation;Time\na;1200\nb;3",
        "seconds,operation\n1200,a\n3,b",
        "a\t1200\r\nb\t3\r\n",
        "\n工序 工时\n\na 1200\nb 3\n",
    ],
)
def test_tables_are_read_as_they_are_copied(text: str) -> None:
    from services.portal.pages.tables import table_of

    feature = {
        "name": "operations",
        "columns": [
            {"name": "operation", "title_zh": "工序", "title_en": "Operation", "datatype": "BYTES"},
            {"name": "seconds", "title_zh": "工时", "title_en": "Time", "unit": "s"},
        ],
    }
    assert table_of(feature, text) == [{"operation": "a", "seconds": 1200}, {"operation": "b", "seconds": 3}]
