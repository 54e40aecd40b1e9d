"""The programme service: wiring only. Rules and targets are files, so there is no database and nothing to seed."""

from __future__ import annotations

from pathlib import Path

import flask

from services.programme.api import diagnosis_add_ons, subsidies, targets
from services.programme.logic import diagnosis_files
from services.programme.logic import targets as plan_targets
from services.programme.problems import PROBLEMS
from services.programme.rules import rule
from shared.http.service_app import new_service_app, register
from shared.industry_files import ByIndustry
from shared.settings import Settings


def create_app(settings: Settings, diagnosis_folder: Path = diagnosis_files.FOLDER) -> flask.Flask:
    app = new_service_app("programme", settings, PROBLEMS, title="Zhigai programme")
    register(app, subsidies.blueprint)
    register(app, targets.blueprint)
    register(app, diagnosis_add_ons.blueprint)
    add_ons = ByIndustry(diagnosis_folder, diagnosis_files.read_one, "diagnosis add-on")
    app.extensions["zhigai"].parts["diagnosis_add_ons"] = add_ons
    app.extensions["zhigai"].probes["rules"] = _rules
    return app


def migrate(settings: Settings) -> None:
    """Nothing: the service has no tables."""


def seed(settings: Settings) -> None:
    """Reads the shipped rules, targets and questions, so that a damaged file stops the start and not the first estimate."""
    rule.load()
    plan_targets.load()
    diagnosis_files.read()


def _rules() -> str:
    found = rule.load()
    return f"{len(found.rules)} rules, {found.hash[:19]}"
