"""The pages that show an industry, a solution and a fault, over the real services."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.portal.app import create_app
from services.portal.pages.reading import worked_calls
from shared.http.upstream import MountedUpstream
from shared.settings import Settings
from tests.services.industry_samples import Behind
from tests.services.knowledge.conftest import article


@pytest.fixture
def behind(embedded_settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Behind]:
    made = Behind(embedded_settings(), tmp_path)
    yield made
    made.close()


@pytest.fixture
def pages(behind: Behind) -> FlaskClient:
    return create_app(behind.settings, MountedUpstream(behind.gateway(), "gateway")).test_client()


def html(pages: FlaskClient, path: str) -> str:
    answer = pages.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    text = answer.get_data(as_text=True)
    missing = re.findall(r"\[[a-z_]+(?:\.[a-z_]+)+\]", text)
    assert not missing, missing
    return text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_industrys_page_leads_from_each_step_to_what_helps(pages: FlaskClient, language: str) -> None:
    text = html(pages, f"/industries/dyeing?lang={language}")
    end = "" if language == "zh" else r"\?lang=en"
    chain = text[text.index('<ol class="chain">') : text.index("</ol>")]
    assert chain.count("<li") == 8
    assert 'href="#step-washing"' in chain
    washing = text[text.index('id="step-washing"') : text.index('id="step-heat-setting"')]
    for path in ("/solutions/dyeing-a", "/articles/dyeing-x-fault", "/articles/dyeing-y"):
        assert re.search(f'href="{path}{end}"', washing), path
    assert "/solutions/textile-c" not in washing


def test_an_industrys_page_says_where_to_begin_and_what_can_wait(pages: FlaskClient) -> None:
    text = html(pages, "/industries/dyeing")
    start = text[text.index('id="start"') :]
    assert [start.index(each) for each in ("定型机余热回收 dyeing-a", "抄表", "看电费", "先不上大屏")] == sorted(
        start.index(each) for each in ("定型机余热回收 dyeing-a", "抄表", "看电费", "先不上大屏")
    )
    assert "低成本起步" in text and "单点单机" in text
    faults = text[text.index('id="faults"') :]
    assert "/articles/dyeing-x-fault" in faults[: faults.index("</ul>")]


def test_an_industry_without_a_chain_still_has_a_page_and_an_unknown_one_has_none(pages: FlaskClient) -> None:
    assert "暂时没有" in html(pages, "/industries/paper")
    assert pages.get("/industries/steel").status_code == 404


def test_a_page_without_the_knowledge_service_shows_the_rest(behind: Behind) -> None:
    pages = create_app(behind.settings, MountedUpstream(behind.gateway("knowledge"), "gateway")).test_client()
    text = html(pages, "/industries/dyeing")
    assert "暂时没有回答" in text
    assert "/solutions/dyeing-a" in text


def test_industries_are_reached_from_home_and_from_the_entries(pages: FlaskClient) -> None:
    assert 'href="/industries/dyeing"' in html(pages, "/")
    for path in ("/solutions/dyeing-a", "/articles/dyeing-y"):
        crumbs = html(pages, path)
        crumbs = crumbs[crumbs.index('class="crumbs"') :]
        assert 'href="/industries/dyeing"' in crumbs[: crumbs.index("</p>")]
    general = html(pages, "/articles/general-z")
    assert "/industries/" not in general


def test_a_solution_shows_scale_equipment_and_how_it_is_connected(pages: FlaskClient) -> None:
    text = html(pages, "/solutions/dyeing-a")
    for said in ("低成本起步", "高温含湿探头", "定型机控制柜", "Modbus RTU", "只读车速和温度"):
        assert said in text, said


def test_a_fault_shows_its_causes_as_a_table_in_order(pages: FlaskClient) -> None:
    text = html(pages, "/articles/dyeing-x-fault")
    table = text[text.index('id="causes"') : text.index("</table>")]
    assert [table.index(f"原因{n}") for n in range(3)] == sorted(table.index(f"原因{n}") for n in range(3))
    assert "看第1处压差" in table and "清第1段" in table
    assert 'id="causes"' not in html(pages, "/articles/dyeing-y")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_example_shows_the_calls_that_its_figures_come_from(
    behind: Behind, pages: FlaskClient, language: str
) -> None:
    """The models service is away here: the inputs are shown by name."""
    quoted = [{"output": "heat_kw", "text": "987", "unit": "kW"}]
    request = {"instances": [{"fabric_kg_h": 900, "exhaust_kg_h": 12000}]}
    call = {"id": "before", "component": "stenter-heat-balance", "request": request, "quoted": quoted}
    behind.put_article(article("dyeing-w", kind="example", steps=["washing"], worked=[call]))
    text = html(pages, f"/articles/dyeing-w?lang={language}")
    box = text[text.index('id="worked"') : text.index("</section>")]
    assert "/components/stenter-heat-balance" in box
    assert "exhaust_kg_h" in box and "12,000" in box and "987" in box
    assert 'id="worked"' not in html(pages, "/articles/dyeing-y")


@pytest.mark.parametrize(("language", "title"), [("zh", "干排风量"), ("en", "Dry exhaust air")])
def test_inputs_and_figures_of_an_example_are_told_by_title(language: str, title: str) -> None:
    feature = {"name": "exhaust_kg_h", "title_zh": "干排风量", "title_en": "Dry exhaust air", "unit": "kg/h"}
    heat = {"name": "heat_kw", "title_zh": "热耗", "title_en": "Heat demand", "unit": "kW"}
    component = {"name": "stenter-heat-balance", "title": "定型机热平衡", "features": [feature, heat]}
    request = {"instances": [{"exhaust_kg_h": 12000, "list": [1.5, 2]}]}
    quoted = [{"output": "heat_kw", "text": "987", "unit": "kW"}, {"output": "notes", "text": "0.1", "unit": ""}]
    call = {"component": "stenter-heat-balance", "request": request, "quoted": quoted}
    (shown,) = worked_calls([call], [component], language)
    assert shown["title"] == "定型机热平衡"
    assert shown["inputs"][0] == {"title": title, "value": "12,000", "unit": "kg/h"}
    assert shown["inputs"][1] == {"title": "list", "value": "1.5、2", "unit": ""}
    assert [each["title"] for each in shown["quoted"]] == ["热耗" if language == "zh" else "Heat demand", ""]


def test_an_entry_past_its_day_says_so_on_its_page_and_among_results(pages: FlaskClient) -> None:
    said = "已过复核期（2026-11-24）"
    assert said in html(pages, "/articles/dyeing-y")
    assert said not in html(pages, "/articles/dyeing-x-fault")
    assert said in html(pages, "/search?q=%E6%8E%92%E9%A3%8E%E5%90%AB%E6%B9%BF")
