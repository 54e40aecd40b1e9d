"""The library: wiring only."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path

import flask

from services.models.api import (
    components,
    datasets,
    lifecycle,
    monitoring,
    predict_files,
    predictions,
    publishing,
    trainings,
    webhooks,
)
from services.models.api.uploads import UploadRequest
from services.models.inference.endpoints import Endpoints
from services.models.inference.from_threads import RunnerFromThreads, SharedInference
from services.models.inference.release import SHIPPED
from services.models.inference.standing import Standings
from services.models.logic import shipping
from services.models.logic.components import load
from services.models.logic.datasets import forget_expired
from services.models.logic.keeping import Keeper
from services.models.logic.packages import FOLDER
from services.models.problems import PROBLEMS
from services.models.search import document_of, documents
from services.models.store.schema import MIGRATIONS, SERVICE, TABLES
from shared.blobs import open_blobs
from shared.database import Database
from shared.database.migrations import is_current
from shared.errors import Refused
from shared.http.call import Admit, HotRoute
from shared.http.service_app import new_service_app, register
from shared.jobs import Jobs
from shared.jobs.api import jobs_blueprint
from shared.jobs.bell import open_bell
from shared.relay import Relay
from shared.search.database_search import DatabaseSearch
from shared.search.endpoint import search_blueprint
from shared.search.open import open_index
from shared.settings import Settings


def create_app(settings: Settings) -> flask.Flask:
    app = new_service_app(SERVICE, settings, PROBLEMS, title="Zhigai models")
    app.request_class = UploadRequest
    context = app.extensions["zhigai"]
    database = Database.open(settings, SERVICE, MIGRATIONS)
    index = open_index(settings, SERVICE)
    relay = Relay(database, TABLES, index, document_of, documents)
    bell = open_bell(settings)
    jobs = Jobs(database, TABLES, bell, SERVICE)
    blobs = open_blobs(settings)
    runner = RunnerFromThreads(_roots(settings), settings.memory_budget_mb)
    standings = Standings(settings.home / "standings.json")
    endpoints = Endpoints(_roots(settings), loopback=settings.loopback_endpoints)
    keeper = Keeper(database, blobs, jobs, settings.home, standings, runner, endpoints.taken)
    context.parts.update(
        database=database, tables=TABLES, index=index, relay=relay, jobs=jobs, blobs=blobs, runner=runner,
        standings=standings, endpoints=endpoints, keeper=keeper,
        database_search=DatabaseSearch(database, documents),
    )  # fmt: skip
    context.closing += [database.close, index.close, bell.close, blobs.close, runner.close, endpoints.close]
    context.probes.update(database=database.ping, search=index.ping, relay=relay.lag)
    own_data = (datasets.blueprint, trainings.blueprint, predict_files.blueprint)
    library = (components.blueprint, publishing.blueprint, lifecycle.blueprint, monitoring.blueprint)
    for blueprint in (*library, webhooks.blueprint, *own_data, jobs_blueprint()):
        register(app, blueprint)
    for undocumented in (predictions.blueprint, search_blueprint()):
        app.register_blueprint(undocumented)
    with contextlib.suppress(Refused):
        # A database that is away at the start is no reason not to serve what ships.
        if is_current(database):
            keeper.changed()
            forget_expired(database, blobs, settings.guest_data_days)
    return app


def _roots(settings: Settings) -> list[Path]:
    """Where components lie: those that ship, and those that were published here."""
    return [SHIPPED, settings.home / FOLDER]


def hot_routes(app: flask.Flask, admit: Admit) -> list[HotRoute]:
    """What is answered on the event loop: the open protocol and the friendly call, behind `admit`."""
    context = app.extensions["zhigai"]
    settings: Settings = context.settings
    begin = partial(predictions.begin_job, context.parts["jobs"])
    parts, keeper = context.parts, context.parts["keeper"]
    return [
        SharedInference(
            _roots(settings), admit, settings.memory_budget_mb, parts["runner"], begin, parts["standings"],
            keeper.stop_component, parts["endpoints"], [(keeper.start, keeper.stop)],
        )
    ]  # fmt: skip


def migrate(settings: Settings) -> None:
    database = Database.open(settings, SERVICE, MIGRATIONS)
    database.migrate()
    database.close()


def seed(settings: Settings) -> int:
    """Loads the shipped components; what has not changed is left alone."""
    database = Database.open(settings, SERVICE, MIGRATIONS)
    try:
        return load(database, shipping.read())
    finally:
        database.close()


def reindex(app: flask.Flask) -> int:
    """Builds the search index anew from the database; how many documents it holds."""
    relay: Relay = app.extensions["zhigai"].parts["relay"]
    return relay.rebuild(documents)
