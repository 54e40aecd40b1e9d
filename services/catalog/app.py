"""The catalog service: wiring only."""

from __future__ import annotations

from pathlib import Path

import flask

from services.catalog.api import enquiries, providers, solutions, starter_packs
from services.catalog.logic import solution_files, starter_files
from services.catalog.logic.solutions import load
from services.catalog.problems import PROBLEMS
from services.catalog.search import document_of, documents
from services.catalog.store.schema import MIGRATIONS, SERVICE, TABLES
from shared.content_rows import Loaded
from shared.database import Database
from shared.http.service_app import new_service_app, register
from shared.industry_files import ByIndustry
from shared.relay import Relay
from shared.search.database_search import DatabaseSearch
from shared.search.endpoint import search_blueprint
from shared.search.open import open_index
from shared.settings import Settings


def create_app(settings: Settings, packs_folder: Path = starter_files.FOLDER) -> flask.Flask:
    app = new_service_app(SERVICE, settings, PROBLEMS, title="Zhigai catalog")
    context = app.extensions["zhigai"]
    database = Database.open(settings, SERVICE, MIGRATIONS)
    index = open_index(settings, SERVICE)
    relay = Relay(database, TABLES, index, document_of, documents)
    context.parts.update(
        database=database,
        tables=TABLES,
        index=index,
        relay=relay,
        starter_packs=ByIndustry(packs_folder, starter_files.read_one, "starter pack"),
        database_search=DatabaseSearch(database, documents),
    )
    context.closing += [database.close, index.close]
    context.probes.update(database=database.ping, search=index.ping, relay=relay.lag)
    for blueprint in (solutions.blueprint, starter_packs.blueprint, providers.blueprint, enquiries.blueprint):
        register(app, blueprint)
    app.register_blueprint(search_blueprint())
    return app


def migrate(settings: Settings) -> None:
    database = Database.open(settings, SERVICE, MIGRATIONS)
    database.migrate()
    database.close()


def seed(settings: Settings, folder: Path = solution_files.FOLDER) -> Loaded:
    """Loads the shipped solutions; what has not changed is left alone. Providers are not shipped.

    Starter packs stay files; they are read here so that a damaged one stops the start and not the first reader.
    """
    starter_files.read()
    database = Database.open(settings, SERVICE, MIGRATIONS)
    try:
        return load(database, solution_files.read(folder))
    finally:
        database.close()


def reindex(app: flask.Flask) -> int:
    """Builds the search index anew from the database; how many documents it holds."""
    relay: Relay = app.extensions["zhigai"].parts["relay"]
    return relay.rebuild(documents)
