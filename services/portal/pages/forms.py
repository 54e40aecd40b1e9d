"""Forms made from a component's signature, started from a stored example, and read back into a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def example_of(component: Mapping[str, Any], name: str | None = None) -> Mapping[str, Any] | None:
    """The named stored example, else the first."""
    examples = component.get("examples") or []
    return next((each for each in examples if each["name"] == name), examples[0] if examples else None)


def form_fields(
    component: Mapping[str, Any],
    language: str,
    example: Mapping[str, Any] | None = None,
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """One field for each input of the signature."""
    example = example or example_of(component)
    instance: Mapping[str, Any] = {}
    if example is not None:
        instance = (example["request"].get("instances") or [{}])[0]
    return [
        _field(
            each,
            language,
            given.get(each["name"]) if given else instance.get(each["name"], each.get("default")),
            errors,
        )
        for each in component["signature"]["inputs"]
    ]


def _field(each: Mapping[str, Any], language: str, value: Any, errors: Mapping[str, Any] | None) -> dict[str, Any]:
    if isinstance(value, list):
        value = "\n".join(str(part) for part in value)
    said = [
        sentence
        for path, sentences in (errors or {}).items()
        if path.split(".")[-1] == each["name"] or f".{each['name']}." in f"{path}."
        for sentence in sentences
    ]
    unit = each.get("unit") or ""
    return {
        "name": each["name"],
        "title": each.get(f"title_{language}") or each["name"],
        "meaning": each.get("meaning") or "",
        "unit": "" if unit in ("-", "1") else unit,
        "minimum": each.get("minimum"),
        "maximum": each.get("maximum"),
        "choices": each.get("choices") or [],
        "numeric": each.get("datatype", "FP64") not in ("BYTES", "STRING", "LIST"),
        "list": each.get("datatype") == "LIST" or "\n" in str(value or ""),
        "value": "" if value is None else value,
        "said": said,
    }


def instance_of(component: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """The instance that the form holds; empty fields are left out, so that the component's defaults apply."""
    instance: dict[str, Any] = {}
    for each in component["signature"]["inputs"]:
        text = form.get(each["name"], "").strip()
        if text:
            instance[each["name"]] = _value(each, text)
    return instance


def _value(each: Mapping[str, Any], text: str) -> Any:
    datatype = each.get("datatype", "FP64")
    if datatype in ("BYTES", "STRING"):
        return text
    if datatype == "LIST":
        return [_number(part) for part in text.replace(",", " ").replace("，", " ").replace("\t", " ").split()]
    return _number(text)


def _number(text: str) -> Any:
    """A number where it is one; what is none goes to the API as it is, which says what would be right."""
    plain = text.replace(",", "").replace("，", "")
    try:
        return int(plain)
    except ValueError:
        try:
            return float(plain)
        except ValueError:
            return text
