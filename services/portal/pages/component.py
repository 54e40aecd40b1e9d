"""A component: what it answers, a form started from a stored example, its answer, and how to call it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import flask

from services.portal.client import ApiAnswer, api
from services.portal.pages import blueprint
from services.portal.pages.answers import shown_answer
from services.portal.pages.forms import example_of, form_fields, from_address, instance_of
from services.portal.pages.reading import Page, refused
from services.portal.pages.solving import begun
from services.portal.reader import guest_token


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
    if form is None and body.get("cost") != "job":
        form = from_address(body, example, flask.request.args)
    if form is None:
        answer = ApiAnswer(200, dict(example["answer"]), {}) if example and example.get("answer") else None
    else:
        request: dict[str, Any] = {"instances": [instance_of(body, form)]}
        if example is not None and example["request"].get("history"):
            request = {"instances": example["request"]["instances"], "history": example["request"]["history"]}
        if body.get("cost") == "job":
            # A job belongs to somebody: the browser's guest, made now if need be.
            guest_token()
        answer = api().post(f"/api/v1/components/{name}/predict", request)
        if answer.status == 202:
            return begun(body, answer)
    shown = shown_answer(body, answer)
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
        is_job=body.get("cost") == "job",
        brief=False,
    )


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
