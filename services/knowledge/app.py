"""The knowledge service: wiring only."""

from __future__ import annotations

from pathlib import Path

import flask

from services.knowledge.api import articles, chains, terms
from services.knowledge.logic import article_files, chain_files
from services.knowledge.logic.chains import Chains
from services.knowledge.logic.loading import load_articles, load_terms
from services.knowledge.problems import PROBLEMS
from services.knowledge.search import Documents
from services.knowledge.store.schema import MIGRATIONS, SERVICE, TABLES
from shared import vocabulary
from shared.content_rows import Loaded
from shared.database import Database
from shared.http.service_app import new_service_app, register
from shared.relay import Relay
from shared.search.database_search import DatabaseSearch
from shared.search.endpoint import search_blueprint
from shared.search.open import open_index
from shared.settings import Settings


def create_app(settings: Settings, chains_folder: Path = chain_files.FOLDER) -> flask.Flask:
    app = new_service_app(SERVICE, settings, PROBLEMS, title="Zhigai knowledge")
    context = app.extensions["zhigai"]
    database = Database.open(settings, SERVICE, MIGRATIONS)
    index = open_index(settings, SERVICE)
    known_chains = Chains(chains_folder)
    documents = Documents(known_chains.step_names)
    relay = Relay(database, TABLES, index, documents.of, documents.all)
    context.parts.update(
        database=database,
        tables=TABLES,
        index=index,
        relay=relay,
        chains=known_chains,
        documents=documents,
        database_search=DatabaseSearch(database, documents.all),
    )
    context.closing += [database.close, index.close]
    context.probes.update(database=database.ping, search=index.ping, relay=relay.lag)
    for blueprint in (articles.blueprint, chains.blueprint, terms.blueprint):
        register(app, blueprint)
    app.register_blueprint(search_blueprint())
    return app


def migrate(settings: Settings) -> None:
    database = Database.open(settings, SERVICE, MIGRATIONS)
    database.migrate()
    database.close()


def seed(settings: Settings, folder: Path = article_files.FOLDER) -> tuple[Loaded, Loaded]:
    """Loads the shipped articles and the vocabulary's terms; what has not changed is left alone.

    The chains stay files; they are read here so that a damaged one stops the start and not the first reader.
    """
    chain_files.read()
    database = Database.open(settings, SERVICE, MIGRATIONS)
    try:
        return load_articles(database, article_files.read(folder)), load_terms(database, vocabulary.load())
    finally:
        database.close()


def reindex(app: flask.Flask) -> int:
    """Builds the search index anew from the database; how many documents it holds."""
    relay: Relay = app.extensions["zhigai"].parts["relay"]
    documents: Documents = app.extensions["zhigai"].parts["documents"]
    return relay.rebuild(documents.all)
