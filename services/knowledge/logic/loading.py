"""Brings the public articles and terms to what the files say; what did not change is left alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from services.knowledge.logic.article_files import ReadArticle
from services.knowledge.store import articles, terms
from services.knowledge.store.articles import Article
from services.knowledge.store.schema import TABLES
from services.knowledge.store.terms import Term
from shared import outbox
from shared.database import Database, Scoped
from shared.identity import SYSTEM
from shared.vocabulary import Vocabulary


@dataclass(frozen=True)
class Loaded:
    added: int
    changed: int
    removed: int
    unchanged: int


@dataclass(frozen=True)
class _Entry:
    """What one row is to become."""

    id: str
    fingerprint: str
    content: Mapping[str, Any]
    """For the revision."""
    values: tuple[Any, ...]
    """What the row takes."""


def load_articles(database: Database, files: Iterable[ReadArticle]) -> Loaded:
    entries = [
        _Entry(
            file.id, file.fingerprint, {**file.content, "text": file.text}, (file.content, file.text, file.fingerprint)
        )
        for file in files
    ]
    with database.write() as session:
        return _bring(session, articles.KIND, Article, articles.of_content(session), entries)


def load_terms(database: Database, vocabulary: Vocabulary) -> Loaded:
    entries = []
    for term in vocabulary.terms:
        content = json.loads(json.dumps(asdict(term), ensure_ascii=False))
        digest = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()
        entries.append(_Entry(term.id, digest, content, (content, digest)))
    with database.write() as session:
        return _bring(session, terms.KIND, Term, terms.of_content(session), entries)


def _bring(session: Session, kind: str, model: type[Any], held: dict[str, Any], entries: Iterable[_Entry]) -> Loaded:
    added = changed = unchanged = 0
    scoped = Scoped(session, SYSTEM)
    for entry in entries:
        row = held.pop(entry.id, None)
        if row is not None and row.fingerprint == entry.fingerprint:
            unchanged += 1
            continue
        if row is None:
            row = model(id=entry.id, organisation=None)
            row.take(*entry.values)
            scoped.add(row, after=TABLES.last_version(session, kind, entry.id))
            added += 1
        else:
            row.take(*entry.values)
            session.flush()
            changed += 1
        TABLES.record(session, SYSTEM, "load", kind, row.id, version=row.version, content=entry.content)
        outbox.put(session, TABLES, kind, row.id, row.version)
    for row in held.values():
        version = row.version + 1
        session.delete(row)
        TABLES.record(session, SYSTEM, "remove", kind, row.id, version=version, content={})
        outbox.put(session, TABLES, kind, row.id, version, deleted=True)
    return Loaded(added, changed, len(held), unchanged)
