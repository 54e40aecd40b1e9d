"""Figures that components give: the component is linked, the call has an instance, and the text quotes the figure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from services.knowledge.logic.article_files import ReadArticle
from zhigai.content_rules.files import Content


def check_worked(content: Content) -> None:
    """Whether the figures are right is for the test that computes every call again."""
    for article in content.articles.values():
        calls = article.content.get("worked") or []
        if article.content["kind"] == "example" and not calls:
            content.find(article.path, "worked", "worked", "an example names the calls that its figures come from")
        earlier: set[str] = set()
        for number, call in enumerate(calls):
            _check_call(content, article, f"worked.{number}", call, earlier)
            earlier.add(call["id"])


def _check_call(content: Content, article: ReadArticle, path: str, call: Mapping[str, Any], earlier: set[str]) -> None:
    file = article.path
    if call["id"] in earlier:
        content.find(file, f"{path}.id", "worked", f"{call['id']} is used twice")
    content.known(file, f"{path}.component", [call["component"]], content.components, "component")
    if call["component"] not in article.content["components"]:
        content.find(file, f"{path}.component", "reference", f"{call['component']} is not among `components`")
    instances = call["request"].get("instances")
    if not isinstance(instances, list) or len(instances) != 1 or not isinstance(instances[0], Mapping):
        content.find(file, f"{path}.request", "worked", "a request has `instances` with exactly one of them")
    for place, quoted in enumerate(call["quoted"]):
        where = f"{path}.quoted.{place}"
        if not stands_in(quoted["text"], article.text):
            content.find(file, f"{where}.text", "worked", f"the text does not say {quoted['text']}")
        against = quoted.get("against")
        if against is not None and against not in earlier:
            content.find(file, f"{where}.against", "worked", f"there is no earlier call {against}")


def stands_in(figure: str, text: str) -> bool:
    """Whether a text holds the figure as a number of its own, not as part of a longer one."""
    return re.search(rf"(?<![\d.]){re.escape(figure)}(?!\.?\d)", text) is not None
