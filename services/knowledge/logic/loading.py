"""Brings the public articles and terms to what the files say; what did not change is left alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

from services.knowledge.logic.article_files import ReadArticle
from services.knowledge.store import articles, terms
from services.knowledge.store.articles import Article
from services.knowledge.store.schema import TABLES
from services.knowledge.store.terms import Term
from shared.content_rows import Entry, Loaded, bring
from shared.database import Database
from shared.vocabulary import Vocabulary


def load_articles(database: Database, files: Iterable[ReadArticle]) -> Loaded:
    entries = [
        Entry(
            file.id, file.fingerprint, {**file.content, "text": file.text}, (file.content, file.text, file.fingerprint)
        )
        for file in files
    ]
    with database.write() as session:
        return bring(session, TABLES, articles.KIND, Article, articles.of_content(session), entries)


def load_terms(database: Database, vocabulary: Vocabulary) -> Loaded:
    entries = []
    for term in vocabulary.terms:
        content = json.loads(json.dumps(asdict(term), ensure_ascii=False))
        digest = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()
        entries.append(Entry(term.id, digest, content, (content, digest)))
    with database.write() as session:
        return bring(session, TABLES, terms.KIND, Term, terms.of_content(session), entries)
