"""The knowledge service: wiring only."""

from __future__ import annotations

from pathlib import Path

import flask

from services.knowledge.api import articles, terms
from services.knowledge.logic import article_files
from services.knowledge.logic.loading import Loaded, load_articles, load_terms
from services.knowledge.problems import PROBLEMS
from services.knowledge.search import document_of, documents
from services.knowledge.store.schema import MIGRATIONS, SERVICE, TABLES
from shared import vocabulary
from shared.database import Database
from shared.http.service_app import new_service_app, register
from shared.relay import Relay
from shared.search.endpoint import search_blueprint
from shared.search.open import open_index
from shared.settings import Settings


def create_app(settings: Settings) -> flask.Flask:
    app = new_service_app(SERVICE, settings, PROBLEMS, title="Zhigai knowledge")
    context = app.extensions["zhigai"]
    database = Database.open(settings, SERVICE, MIGRATIONS)
    index = open_index(settings, SERVICE)
    relay = Relay(database, TABLES, index, document_of)
    context.parts.update(database=database, tables=TABLES, index=index, relay=relay)
    context.closing += [database.close, index.close]
    context.probes.update(database=database.ping, search=index.ping, relay=relay.lag)
    for blueprint in (articles.blueprint, terms.blueprint):
        register(app, blueprint)
    app.register_blueprint(search_blueprint())
    return app


def migrate(settings: Settings) -> None:
    database = Database.open(settings, SERVICE, MIGRATIONS)
    database.migrate()
    database.close()


def seed(settings: Settings, folder: Path = article_files.FOLDER) -> tuple[Loaded, Loaded]:
    """Loads the shipped articles and the vocabulary's terms; what has not changed is left alone."""
    database = Database.open(settings, SERVICE, MIGRATIONS)
    try:
        return load_articles(database, article_files.read(folder)), load_terms(database, vocabulary.load())
    finally:
        database.close()


def reindex(app: flask.Flask) -> int:
    """Builds the search index anew from the database; how many documents it holds."""
    relay: Relay = app.extensions["zhigai"].parts["relay"]
    return relay.rebuild(documents)
