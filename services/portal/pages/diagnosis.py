"""The self-check: an industry's own questions, and from the answers where to begin. Only the address holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import flask

from services.portal.client import api
from services.portal.pages import blueprint
from services.portal.pages.reading import Page, refused
from services.portal.words import word
from shared.fields import INDUSTRIES

ANSWER = "a."
"""Stands before a question's id in the address, so that no id is taken for another parameter."""
NOT_KNOWN = "unknown"
LONGEST_SHOWN = 60
MOST_SOLUTIONS = 100

Question = dict[str, Any]


@blueprint.get("/diagnosis")
def diagnosis() -> Page:
    args = flask.request.args
    industry = args.get("industry", "")
    if industry not in INDUSTRIES:
        problem = _problem({"industry": [_no_such_industry(industry)]}) if industry else None
        page = flask.render_template("diagnosis.html", section="diagnosis", industries=INDUSTRIES, problem=problem)
        return page, 422 if problem else 200
    found = api().get(f"/api/v1/diagnosis-add-ons/{industry}")
    if not found.ok:
        return refused(found)
    given = {name[len(ANSWER) :]: values for name, values in args.lists() if name.startswith(ANSWER)}
    questions = _asked(found.body["questions"], _steps(industry), given)
    errors = dict(_errors(industry, questions, given))
    answer = _answer(industry, questions) if not errors and (given or args.get("answered")) else None
    page = flask.render_template(
        "diagnosis.html",
        section="diagnosis",
        industry=industry,
        status=found.body["status"],
        questions=questions,
        answer=answer,
        problem=_problem(errors) if errors else None,
        prefix=ANSWER,
        not_known=NOT_KNOWN,
    )
    return page, 422 if errors else 200


def _steps(industry: str) -> dict[str, str]:
    """The titles of the chain's steps by id, in order; none when the chain is away."""
    chain = api().get(f"/api/v1/chains/{industry}")
    return {step["id"]: step["title"] for step in chain.body.get("steps", [])} if chain.ok else {}


def _asked(
    questions: Sequence[Mapping[str, Any]], steps: Mapping[str, str], given: Mapping[str, Sequence[str]]
) -> list[Question]:
    """The questions along the chain, each with what was chosen: `value` as given, `option` and the `better` one."""
    places = {step: place for place, step in enumerate(steps)}
    ordered = sorted(questions, key=lambda each: places.get(each["step"], len(places)))
    asked = []
    for number, question in enumerate(ordered, 1):
        options, value = question["options"], ", ".join(given.get(question["id"], []))
        place = next((n for n, option in enumerate(options) if str(option["level"]) == value), None)
        asked.append(
            {
                **question,
                "number": number,
                "step_title": steps.get(question["step"], ""),
                "value": value,
                "option": None if place is None else options[place],
                "better": None if place is None else next(iter(options[place + 1 :]), None),
                "wrong": bool(value) and place is None and value != NOT_KNOWN,
            }
        )
    return asked


def _errors(
    industry: str, questions: Sequence[Question], given: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, list[str]]]:
    """What the address holds and no question offers, by parameter."""
    language = flask.g.language
    for question in questions:
        if question["wrong"]:
            levels = ", ".join(str(option["level"]) for option in question["options"])
            values = {"given": question["value"][:LONGEST_SHOWN], "levels": levels, "not_known": NOT_KNOWN}
            yield ANSWER + question["id"], [word(language, "diagnosis.no_such_answer", **values)]
    known = [question["id"] for question in questions]
    for name in given:
        if name not in known:
            said = word(
                language,
                "diagnosis.no_such_question",
                industry=word(language, f"industry.{industry}"),
                known=", ".join(ANSWER + each for each in known),
            )
            yield ANSWER + name[:LONGEST_SHOWN], [said]


def _no_such_industry(given: str) -> str:
    language = flask.g.language
    known = ", ".join(f"{each} ({word(language, f'industry.{each}')})" for each in INDUSTRIES)
    return word(language, "diagnosis.no_such_industry", given=given[:LONGEST_SHOWN], known=known)


def _problem(errors: Mapping[str, list[str]]) -> dict[str, Any]:
    language = flask.g.language
    return {
        "title": word(language, "diagnosis.wrong"),
        "detail": word(language, "diagnosis.wrong_detail"),
        "errors": errors,
    }


def _answer(industry: str, questions: Sequence[Question]) -> dict[str, Any]:
    """Where to begin: the lowest answers first, equal ones along the chain; what is good already; what is open."""
    answered = [each for each in questions if each["option"] is not None]
    weak = sorted((each for each in answered if each["better"] is not None), key=lambda each: each["option"]["level"])
    titles, away = _solutions(industry) if weak else ({}, False)
    return {
        "weak": [{**each, "solutions": [titles[id_] for id_ in each["measures"] if id_ in titles]} for each in weak],
        "good": [each for each in answered if each["better"] is None],
        "open": [each for each in questions if each["option"] is None],
        "answered": len(answered),
        "of": len(questions),
        "incomplete": 2 * len(answered) < len(questions),
        "away": away,
    }


def _solutions(industry: str) -> tuple[dict[str, dict[str, Any]], bool]:
    """The industry's solutions by id, and whether the catalog is away."""
    found = api().get("/api/v1/solutions", industry=industry, size=MOST_SOLUTIONS)
    return {each["id"]: each for each in found.body.get("items", [])} if found.ok else {}, not found.ok
