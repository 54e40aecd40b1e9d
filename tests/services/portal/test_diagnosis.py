"""The self-check's page: what it asks, where it says to begin, and what it refuses, over the real services."""

from __future__ import annotations

import html as entities
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from flask.testing import FlaskClient

from services.catalog import app as catalog
from services.gateway import app as gateway
from services.knowledge import app as knowledge
from services.portal.app import create_app
from services.programme import app as programme
from shared.fields import INDUSTRIES
from shared.http.upstream import MountedUpstream
from shared.settings import Secret, Settings
from tests.services.industry_samples import Behind
from tests.services.programme.test_diagnosis_add_ons import questions

STEPS = ("heat-setting", "washing", "washing", "singeing", "washing", "heat-setting")
"""Of the six sample questions; the chain has them in the order singeing, washing, heat-setting."""
ALONG_THE_CHAIN = (3, 1, 2, 4, 0, 5)
HOSTILE = "\"><script>alert(1)</script>{{7*7}}{t}'"


def settings_in(home: Path) -> Settings:
    """For all tests of this file, which read more in a minute than one visitor may."""
    return Settings(home=home, secret=Secret(secrets.token_hex(32)), port=0, anonymous_per_minute=100_000)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """Started once: the pages only read."""
    folder = tmp_path_factory.mktemp("content")
    asked = questions()
    for question, step in zip(asked["questions"], STEPS, strict=True):
        question["step"] = step
    asked["questions"][1]["measures"] = ["dyeing-b", "textile-c", "dyeing-gone"]
    (folder / "diagnosis").mkdir()
    (folder / "diagnosis" / "dyeing.yaml").write_text(yaml.safe_dump(asked, allow_unicode=True), encoding="utf-8")
    made = Behind(settings_in(tmp_path_factory.mktemp("home")), folder)
    yield made
    made.close()


@pytest.fixture(scope="module")
def pages(behind: Behind) -> FlaskClient:
    return pages_over(behind)


def pages_over(behind: Behind, without: str = "") -> FlaskClient:
    return create_app(behind.settings, MountedUpstream(behind.gateway(without), "gateway")).test_client()


def address(industry: str = "dyeing", language: str = "zh", **answers: object) -> str:
    """Of the sample questions by number: `q0=2` answers the first with level 2."""
    named = {re.sub(r"^q(\d)$", r"a.question-\1", name): value for name, value in answers.items()}
    return "/diagnosis?" + urlencode({"industry": industry, "lang": language, "answered": "yes", **named})


def html(pages: FlaskClient, path: str, status: int = 200) -> str:
    answer = pages.get(path)
    text = answer.get_data(as_text=True)
    assert answer.status_code == status, text
    missing = re.findall(r"\[[a-z_]+(?:\.[a-z_]+)+\]", text)
    assert not missing, missing
    return text


def answer_of(text: str) -> str:
    """The part above the questions that says where to begin."""
    part = text[text.index('<section id="answer">') :]
    return part[: part.index("</section>")]


def points(text: str) -> list[str]:
    return re.findall(r"<h3>(.*?)</h3>", answer_of(text))


def checked(text: str) -> list[tuple[str, str]]:
    return re.findall(r'<input type="radio" name="([^"]+)" value="([^"]*)" checked>', text)


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh", ("不是官方评估", "平台不保存")), ("en", ("not an official assessment", "nothing is stored"))],
)
def test_without_an_industry_one_is_chosen_and_the_page_says_what_it_is(
    pages: FlaskClient, language: str, said: tuple[str, str]
) -> None:
    text = html(pages, f"/diagnosis?lang={language}")
    for industry in INDUSTRIES:
        assert f'href="/diagnosis?industry={industry}{"" if language == "zh" else "&amp;lang=en"}"' in text
    for each in said:
        assert each in text
    assert "fieldset" not in text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", ("问0？", "为什么问：看基础", "第1级", "还不清楚", "行业经验", "不是官方评估")),
        ("en", ("Q0?", "Why this is asked: Base", "Level 1", "Not known yet", "trade experience", "not an official")),
    ],
)
def test_questions_come_along_the_chain_with_why_and_nothing_preselected(
    pages: FlaskClient, language: str, said: tuple[str, ...]
) -> None:
    text = html(pages, f"/diagnosis?industry=dyeing&lang={language}")
    asked = re.findall(r'<li id="q-question-(\d)">', text)
    assert [int(each) for each in asked] == list(ALONG_THE_CHAIN)
    assert text.count("<fieldset") == 6 and text.count('type="radio"') == 6 * 5
    assert text.count('value="unknown"') == 6 and not checked(text)
    for each in said:
        assert each in text, each
    assert 'id="answer"' not in text and 'method="post"' not in text.lower()


def test_the_lowest_answers_come_first_and_equal_ones_along_the_chain(pages: FlaskClient) -> None:
    text = html(pages, address(q0=1, q1=2, q2=1, q3=2, q4=3, q5=5))
    assert points(text) == ["问2？", "问0？", "问3？", "问1？", "问4？"]
    answer = answer_of(text)
    good = answer[answer.index("已经做好的") :]
    assert "问5？" in good and "第5级" in good
    assert "还没有答案的" not in answer and "不到一半" not in answer
    assert 'href="/subsidy"' in answer and 'href="/industries/dyeing"' in answer
    assert "行业经验" in answer and "不是官方评估" in answer
    assert text.index('id="answer"') < text.index("<fieldset")
    assert dict(checked(text))["a.question-1"] == "2" and len(checked(text)) == 6


def test_a_point_names_the_answer_the_next_better_one_and_the_solutions_of_the_catalog(pages: FlaskClient) -> None:
    answer = answer_of(html(pages, address(q1=3)))
    assert re.search(r"现在</dt><dd>第3级</dd><dt>下一步的样子</dt><dd>第5级</dd>", answer)
    # In the order of the measures; what the catalog does not hold is no link.
    assert re.findall(r'href="/solutions/([^"]+)"', answer) == ["dyeing-b", "textile-c"]
    assert "定型机余热回收 dyeing-b" in answer and "把排风带走的热收回来" in answer
    english = answer_of(html(pages, address(language="en", q1=3)))
    assert re.search(r"Now</dt><dd>Level 3</dd><dt>The next step</dt><dd>Level 5</dd>", english)
    assert 'href="/solutions/dyeing-b?lang=en"' in english


def test_what_has_no_answer_is_named_and_fewer_than_half_is_said(pages: FlaskClient) -> None:
    answer = answer_of(html(pages, address(q0=1, q1="unknown", q2=5)))
    assert "共 6 题，2 题有答案" in answer and "不到一半" in answer
    still_open = answer[answer.index("还没有答案的") :]
    assert re.findall(r"问(\d)？", still_open) == ["3", "1", "4", "5"]
    assert still_open.count("还不清楚") == 1 and still_open.count("没有回答") == 3
    assert "不到一半" not in answer_of(html(pages, address(q0=1, q1=1, q2=1)))


@pytest.mark.parametrize("answers", [{}, {"q0": "unknown", "q1": "unknown"}, {"q0": ""}])
def test_without_one_answer_the_page_says_so_and_asks_again(pages: FlaskClient, answers: dict[str, str]) -> None:
    text = html(pages, address(**answers))
    assert "还没有一题有答案" in text and 'id="answer"' not in text
    assert "<details" not in text[text.index('<form action="/diagnosis">') :]


@pytest.mark.parametrize("industry", ["steel", "Dyeing", "DYEING", " dyeing", "dyeing/..", "\x00", "x" * 5000, HOSTILE])
def test_an_unknown_industry_is_refused_with_those_there_are(pages: FlaskClient, industry: str) -> None:
    text = html(pages, address(industry), status=422)
    refusal = text[text.index('role="alert"') :]
    refusal = refusal[: refusal.index("</div>")]
    assert "没有行业" in refusal and all(each in refusal for each in INDUSTRIES)
    assert 'href="/diagnosis?industry=dyeing"' in text
    assert "x" * 100 not in refusal and "<script>alert" not in text


@pytest.mark.parametrize("value", ["4", "0", "01", "1.0", "一", "UNKNOWN", " 1", "x" * 5000, HOSTILE])
def test_an_answer_that_the_question_does_not_offer_is_refused_with_those_it_does(
    pages: FlaskClient, value: str
) -> None:
    text = html(pages, address(q0=value, q1=2), status=422)
    refusal = text[text.index('role="alert"') :]
    refusal = refusal[: refusal.index("</div>")]
    assert "a.question-0" in refusal and "1, 2, 3, 5，或 unknown" in refusal and "a.question-1" not in refusal
    assert entities.escape(value[:60]).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in refusal
    assert "x" * 100 not in refusal and "<script>alert" not in text
    # What was right is kept, and nothing is concluded.
    assert checked(text) == [("a.question-1", "2")] and 'id="answer"' not in text
    english = html(pages, address(language="en", q0=value), status=422)
    assert "1, 2, 3, 5, or unknown" in english


@pytest.mark.parametrize("name", ["question-9", "Question-0", "", HOSTILE])
def test_an_answer_to_no_question_is_refused_with_the_questions_there_are(pages: FlaskClient, name: str) -> None:
    text = html(pages, address(q0=1, **{f"a.{name}": 1}), status=422)
    refusal = text[text.index('role="alert"') :]
    assert "印染没有这一题" in refusal and "a.question-5" in refusal
    assert "<script>alert" not in text


def test_two_answers_to_one_question_are_refused(pages: FlaskClient) -> None:
    assert "没有答案「1, 2」" in html(pages, address(q0=1) + "&a.question-0=2", status=422)


def test_parameters_of_others_are_left_alone_and_nothing_is_kept(pages: FlaskClient) -> None:
    answer = pages.get(address(q0=1) + "&utm_source=" + urlencode({"": HOSTILE})[1:])
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert "<script>alert" not in answer.get_data(as_text=True)
    assert not checked(html(pages, "/diagnosis?industry=dyeing"))


def test_a_service_that_is_away_costs_only_its_part(behind: Behind) -> None:
    path = address(q0=1, q3=1)
    without_catalog = answer_of(html(pages_over(behind, "catalog"), path))
    assert "方案目录暂时没有回答" in without_catalog and "问3？" in without_catalog
    without_chain = html(pages_over(behind, "knowledge"), path)
    assert points(without_chain) == ["问0？", "问3？"] and "工序：" not in without_chain
    assert "fieldset" not in html(pages_over(behind, "programme"), path, status=503)
    assert "fieldset" not in html(pages_over(behind), "/diagnosis?industry=paper", status=404)


def test_the_page_is_reached_from_the_header_home_an_industry_and_the_search(pages: FlaskClient) -> None:
    home = html(pages, "/")
    assert home.count('href="/diagnosis"') == 2
    assert 'href="/diagnosis?industry=dyeing"' in html(pages, "/industries/dyeing")
    assert 'href="/diagnosis" aria-current="page"' in html(pages, "/diagnosis?industry=dyeing")
    found = html(pages, "/search?" + urlencode({"q": "印染厂诊断"}))
    assert 'href="/diagnosis?industry=dyeing"' in found[found.index('class="leads"') :]
    english = html(pages, "/search?" + urlencode({"q": "印染厂诊断", "lang": "en"}))
    assert 'href="/diagnosis?industry=dyeing&amp;lang=en"' in english


@pytest.fixture
def shipped(tmp_path: Path) -> Iterator[FlaskClient]:
    """The pages over the questions, chains and solutions that ship with the platform."""
    settings = settings_in(tmp_path)
    apps = {}
    for name, service in (("catalog", catalog), ("knowledge", knowledge), ("programme", programme)):
        service.migrate(settings)
        apps[name] = service.create_app(settings)
    catalog.seed(settings)
    gateway.migrate(settings)
    door = gateway.create_app(settings, {name: MountedUpstream(app, name) for name, app in apps.items()})
    yield create_app(settings, MountedUpstream(door, "gateway")).test_client()
    for app in (door.flask, *apps.values()):
        app.extensions["zhigai"].close()


def test_every_industry_is_answered_lowest_and_highest_in_both_languages(shipped: FlaskClient) -> None:
    for industry in INDUSTRIES:
        for language in ("zh", "en"):
            asked = html(shipped, f"/diagnosis?industry={industry}&lang={language}")
            options: dict[str, list[str]] = {}
            for name, value in re.findall(r'type="radio" name="([^"]+)" value="(\d)"', asked):
                options.setdefault(name, []).append(value)
            assert 6 <= len(options) <= 8, industry
            # Every question stands at a step of the chain.
            assert asked.count("工序：" if language == "zh" else "Step: ") == len(options), industry
            _check_lowest(html(shipped, _with(industry, language, {n: v[0] for n, v in options.items()})), len(options))
            _check_highest(
                html(shipped, _with(industry, language, {n: v[-1] for n, v in options.items()})), len(options)
            )


def _with(industry: str, language: str, answers: dict[str, Any]) -> str:
    return address(industry, language, **answers)


def _check_lowest(text: str, count: int) -> None:
    asked = [each.partition(". ")[2] for each in re.findall(r"<legend>(.*?)</legend>", text)]
    # All equally low: the order is that of the chain, which is that of the questions.
    assert points(text) == asked and len(asked) == count
    for point in answer_of(text).split("<h3>")[1:]:
        assert point.count("<dd>") == 2 and re.search(r'<a href="/solutions/[^"]+">[^<]+</a><div[^>]*>[^<]+<', point)


def _check_highest(text: str, count: int) -> None:
    answer = answer_of(text)
    assert points(text) == [] and "/solutions/" not in answer
    assert answer[answer.index('<ul class="results">') :].count("<b>") == count
