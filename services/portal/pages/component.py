"""A component: what it answers, a form started from a stored example, its answer, and how to call it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import flask

from services.portal.client import ApiAnswer, api
from services.portal.pages import blueprint, pictures
from services.portal.pages.forms import example_of, form_fields, instance_of
from services.portal.pages.reading import Page, refused


@blueprint.get("/components")
def components() -> Page:
    found = api().get("/api/v1/components", size=100)
    return flask.render_template(
        "components.html",
        section="components",
        items=found.body.get("items", []) if found.ok else [],
        problem=None if found.ok else found.body,
    )


@blueprint.route("/components/<name>", methods=["GET", "POST"])
def component(name: str) -> Page:
    found = api().get(f"/api/v1/components/{name}")
    if not found.ok:
        return refused(found)
    body = found.body
    form = flask.request.form.to_dict() if flask.request.method == "POST" else None
    example = example_of(body, flask.request.args.get("example") or (form or {}).get("example"))
    if form is None:
        answer = ApiAnswer(200, dict(example["answer"]), {}) if example and example.get("answer") else None
    else:
        request: dict[str, Any] = {"instances": [instance_of(body, form)]}
        if example is not None and example["request"].get("history"):
            request = {"instances": example["request"]["instances"], "history": example["request"]["history"]}
        answer = api().post(f"/api/v1/components/{name}/predict", request)
    shown = _answer(body, answer)
    if flask.request.headers.get("X-Partial"):
        return flask.render_template("answer.html", c=body, answer=shown, brief=bool(form and form.get("brief")))
    errors = answer.body.get("errors") if answer and not answer.ok else None
    return flask.render_template(
        "component.html",
        section="components",
        c={"card": {}, "articles": [], "solutions": [], "valid_for": "", "limits": [], **body},
        example=example,
        needs_history=bool(example and example["request"].get("history")),
        fields=form_fields(body, flask.g.language, example, form, errors),
        answer=shown,
        is_example=form is None,
        snippets=_snippets(name, example),
        brief=False,
    )


def _answer(component: Mapping[str, Any], answer: ApiAnswer | None) -> dict[str, Any] | None:
    """The API's answer with its pictures."""
    if answer is None:
        return None
    if not answer.ok:
        return {"problem": answer.body, "predictions": [], "series": None}
    predictions = answer.body.get("predictions", [])
    titles = {each["name"]: each for each in component["signature"].get("outputs", [])}
    language = flask.g.language
    shown = []
    for prediction in predictions[:1]:
        outputs = [
            {
                "title": titles.get(name, {}).get(f"title_{language}") or name,
                "value": pictures.shown(output.get("value")),
                "unit": output.get("unit") or "",
            }
            for name, output in (prediction.get("outputs") or {}).items()
            if not isinstance(output.get("value"), (list, dict))
        ]
        chart = prediction.get("chart") or {}
        shown.append(
            {
                **prediction,
                "figure": pictures.shown(prediction.get("value")),
                "naive_figure": pictures.shown(prediction.get("naive")),
                "picture": pictures.band(prediction, language),
                "outputs": outputs,
                "charts": [
                    {"title": each.get(f"title_{language}") or each.get("title_zh", ""), "picture": picture, **each}
                    for each in (chart if isinstance(chart, list) else [chart])
                    if each and (picture := pictures.control_chart(each))
                ],
                "probabilities": sorted((prediction.get("probabilities") or {}).items(), key=lambda pair: -pair[1]),
            }
        )
    return {
        "problem": None,
        "predictions": shown,
        "series": pictures.series(predictions),
        "release": answer.body.get("release"),
        "source": answer.body.get("source") or "",
    }


def _snippets(name: str, example: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """How to call it, in four languages, with the address the reader came by."""
    request = dict(example["request"]) if example else {"instances": [{}]}
    if request.get("history"):
        request["history"] = [*request["history"][:2], "…"]
        request["instances"] = request["instances"][:1]
    body = json.dumps(request, ensure_ascii=False)
    url = f"{flask.request.host_url}api/v1/components/{name}/predict"
    python = (
        "import json, urllib.request\n"
        f"body = json.dumps({body.replace('true', 'True').replace('null', 'None')})\n"
        f'request = urllib.request.Request("{url}", body.encode(),\n'
        '    {"Content-Type": "application/json", "X-API-Key": "<key>"})\n'
        "print(json.load(urllib.request.urlopen(request)))"
    )
    csharp = (
        "using var client = new HttpClient();\n"
        'client.DefaultRequestHeaders.Add("X-API-Key", "<key>");\n'
        f'var answer = await client.PostAsync("{url}",\n'
        f'    new StringContent("""{body}""", Encoding.UTF8, "application/json"));\n'
        "Console.WriteLine(await answer.Content.ReadAsStringAsync());"
    )
    script = (
        f'const answer = await fetch("{url}", {{\n'
        '  method: "POST", headers: {"Content-Type": "application/json", "X-API-Key": "<key>"},\n'
        f"  body: JSON.stringify({body})\n}});\nconsole.log(await answer.json());"
    )
    curl = f"curl {url} \\\n  -H 'Content-Type: application/json' -H 'X-API-Key: <key>' \\\n  -d '{body}'"
    pairs = (("curl", curl), ("Python", python), ("C#", csharp), ("JavaScript", script))
    return [{"name": title, "text": text} for title, text in pairs]
