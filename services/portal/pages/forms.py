"""Forms made from a component's signature, started from a stored example, and read back into a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.portal.pages import tables
from services.portal.words import word


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


def from_address(
    component: Mapping[str, Any], example: Mapping[str, Any] | None, given: Mapping[str, str]
) -> dict[str, str] | None:
    """A form of the example with the inputs that an address gives, as search does; None when it gives none."""
    named = {each["name"]: given[each["name"]] for each in component["signature"]["inputs"] if each["name"] in given}
    if not named:
        return None
    instance = ((example or {}).get("request", {}).get("instances") or [{}])[0]
    form = {
        name: "\n".join(str(part) for part in value) if isinstance(value, list) else str(value)
        for name, value in instance.items()
        if value is not None and not isinstance(value, dict)
    }
    return {**form, **named}


def _field(each: Mapping[str, Any], language: str, value: Any, errors: Mapping[str, Any] | None) -> dict[str, Any]:
    datatype = each.get("datatype", "FP64")
    if datatype in ("TABLE", "MATRIX"):
        return _table_field(each, language, value, errors or {})
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
        "numeric": datatype not in ("BYTES", "STRING", "LIST"),
        "list": datatype == "LIST" or "\n" in str(value or ""),
        "value": "" if value is None else value,
        "said": said,
    }


def _table_field(each: Mapping[str, Any], language: str, value: Any, errors: Mapping[str, Any]) -> dict[str, Any]:
    """A text area with the rows as a spreadsheet copies them; refusals count rows as a reader does."""
    if isinstance(value, list):
        is_table = each["datatype"] == "TABLE"
        value = tables.table_text(each, value, language) if is_table else tables.matrix_text(value)
    columns = [
        {
            "title": tables.heading(column, language),
            "meaning": column.get("meaning") or "",
            "choices": column.get("choices") or [],
            "required": column.get("required", True),
        }
        for column in each.get("columns") or []
    ]
    return {
        "name": each["name"],
        "title": each.get(f"title_{language}") or each["name"],
        "meaning": each.get("meaning") or "",
        "unit": each.get("unit") or "",
        "minimum": each.get("minimum"),
        "maximum": each.get("maximum"),
        "choices": [],
        "numeric": False,
        "list": True,
        "table": True,
        "rows": min(14, 1 + max(4, str(value or "").count("\n") + 1)),
        "columns": columns,
        "value": value or "",
        "said": tables.said_by_row(each, errors, language, word(language, "component.row_said")),
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
    if datatype == "TABLE":
        return tables.table_of(each, text)
    if datatype == "MATRIX":
        return tables.matrix_of(text)
    if datatype == "LIST":
        return [tables.number(part) for part in text.replace(",", " ").replace("，", " ").replace("\t", " ").split()]
    return tables.number(text)
