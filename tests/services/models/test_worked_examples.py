"""Every figure that an article quotes from a component is what the component gives, and the arithmetic between is right."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from services.knowledge.logic import article_files
from services.models.inference.predict import predict
from services.models.inference.release import LoadedRelease
from shared.fields import INDUSTRIES
from zhigai.content_rules.worked import stands_in

ROOT = Path(__file__).parents[3]
WORKED = [each for each in article_files.read() if each.content.get("worked")]
EXAMPLES = [each for each in WORKED if each.content["kind"] == "example"]
FOLDERS = {
    "articles": "services/knowledge/content/articles/{}.md",
    "solutions": "services/catalog/content/solutions/*/{}.yaml",
    "components": "services/models/content/components/{}",
}
OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


def named(article: article_files.ReadArticle) -> str:
    return article.id


def figure(prediction: Mapping[str, Any], output: str) -> float:
    """What `output` names: the value, an output, or a dotted path into the prediction."""
    if output in prediction["outputs"]:
        return float(prediction["outputs"][output]["value"])
    found: Any = prediction
    for name in output.split("."):
        found = found[name]
    return float(found)


def agrees(value: float, text: str) -> bool:
    """Whether `text` is `value` rounded to the decimals of `text`; a half may go either way."""
    decimals = len(text.partition(".")[2])
    return abs(value - float(text)) <= 0.5 * 10.0**-decimals * (1 + 1e-6)


def result(expression: str) -> float:
    """The value of arithmetic in the signs of a printed page."""
    plain = re.sub(r"√\s*(\d+(?:\.\d+)?)", r"sqrt(\1)", expression)
    return _value(ast.parse(plain.translate(str.maketrans("×÷−", "*/-")).strip(), mode="eval").body)


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sqrt":
        return math.sqrt(_value(node.args[0]))
    raise ValueError(ast.dump(node))


def test_every_industry_has_an_example() -> None:
    assert {each.content["industries"][0] for each in EXAMPLES} == set(INDUSTRIES)


@pytest.mark.parametrize("article", WORKED, ids=named)
def test_the_components_give_the_figures_that_the_text_quotes(
    loaded: Callable[[str], LoadedRelease], article: article_files.ReadArticle
) -> None:
    made: dict[str, Mapping[str, Any]] = {}
    wrong = []
    for call in article.content["worked"]:
        prediction = predict(loaded(call["component"]), call["request"], "zh")["predictions"][0]
        assert prediction["in_range"], (call["id"], prediction["warnings"])
        made[call["id"]] = prediction
        for quoted in call["quoted"]:
            output, text = quoted["output"], quoted["text"]
            if output == "notes":
                if not any(stands_in(text, note) for note in prediction["notes"]):
                    wrong.append((call["id"], output, text, prediction["notes"]))
                continue
            value = figure(prediction, output)
            if "against" in quoted:
                other = figure(made[quoted["against"]], output)
                value = abs(value - other) * (100 / abs(other) if quoted.get("relative") else 1)
            if not agrees(value, text):
                wrong.append((call["id"], output, text, value))
    assert not wrong


@pytest.mark.parametrize("article", EXAMPLES, ids=named)
def test_the_arithmetic_in_an_example_is_right(article: article_files.ReadArticle) -> None:
    sums = [each for each in re.findall(r"`([^`]+)`", article.text) if " = " in each]
    wrong = []
    for each in sums:
        left, _, right = each.rpartition(" = ")
        if not agrees(result(left), right):
            wrong.append((each, result(left)))
    assert sums and not wrong


@pytest.mark.parametrize("article", EXAMPLES, ids=named)
def test_an_example_says_that_its_readings_are_made_up_and_leads_to_entries_that_exist(
    article: article_files.ReadArticle,
) -> None:
    assert "示例读数" in article.text
    links = re.findall(r"\]\(/(articles|solutions|components)/([a-z0-9-]+)\)", article.text)
    assert {kind for kind, _ in links} == set(FOLDERS)
    assert [name for kind, name in links if not list(ROOT.glob(FOLDERS[kind].format(name)))] == []
