"""Reading articles and terms."""

from __future__ import annotations

from collections.abc import Mapping

from services.knowledge.store import articles, terms
from services.knowledge.store.articles import Article
from services.knowledge.store.terms import Term
from shared.database import Database, Scoped
from shared.errors import NotFound
from shared.identity import Principal


def articles_for(
    database: Database, principal: Principal, *, filters: Mapping[str, str], order: str, page: int, size: int
) -> tuple[list[Article], int]:
    """One page of the articles that the caller may see, and how many there are."""
    with database.read() as session:
        return articles.page(Scoped(session, principal), filters, order, page, size)


def article(database: Database, principal: Principal, article_id: str) -> tuple[Article, dict[str, Mapping[str, str]]]:
    """The article, and the titles of related ones by id. Raises `NotFound`."""
    with database.read() as session:
        scoped = Scoped(session, principal)
        row = scoped.get(Article, article_id, articles.KIND)
        return row, articles.titles(scoped, row.content["related"])


def articles_of_industry(database: Database, principal: Principal, industry: str) -> list[Article]:
    """Every article written for an industry that the caller may see, by id."""
    with database.read() as session:
        return articles.of_industry(Scoped(session, principal), industry)


def terms_for(
    database: Database, principal: Principal, *, filters: Mapping[str, str], page: int, size: int
) -> tuple[list[Term], int]:
    with database.read() as session:
        return terms.page(Scoped(session, principal), filters, page, size)


def term(database: Database, principal: Principal, id_or_name: str) -> Term:
    """The term by its id or by its Chinese head word, as people link to it. Raises `NotFound`."""
    with database.read() as session:
        scoped = Scoped(session, principal)
        try:
            return scoped.get(Term, id_or_name, terms.KIND)
        except NotFound:
            # PostgreSQL takes no NUL in a text, and no term has one.
            found = None if "\x00" in id_or_name else terms.by_name(scoped, id_or_name[:80])
            if found is None:
                raise
            return found
