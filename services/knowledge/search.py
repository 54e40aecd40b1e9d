"""What the search index holds of articles and terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.knowledge.rendering import to_text
from services.knowledge.store import articles, terms
from services.knowledge.store.articles import Article, industries_meant
from services.knowledge.store.terms import Term
from shared.search.port import Document

StepNames = Callable[[str, list[str]], list[str]]
"""`(industry, steps)` -> what the industry's chain calls these steps."""


class Documents:
    """The documents of this service's rows. Steps are found by what the chain calls them, causes like the text."""

    def __init__(self, step_names: StepNames) -> None:
        self._step_names = step_names

    def of(self, session: Session, kind: str, row_id: str) -> Document | None:
        """The document of a row as it stands now, or None when it is gone."""
        if kind == articles.KIND:
            article = session.get(Article, row_id)
            return None if article is None else self._article(article)
        if kind == terms.KIND:
            term = session.get(Term, row_id)
            return None if term is None else _term(term)
        return None

    def all(self, session: Session) -> Iterator[Document]:
        """Everything, for building the index anew."""
        for article in session.execute(sa.select(Article).order_by(Article.id)).scalars():
            yield self._article(article)
        for term in session.execute(sa.select(Term).order_by(Term.id)).scalars():
            yield _term(term)

    def _article(self, row: Article) -> Document:
        content = row.content
        return _article(row, self._step_names(content["industries"][0], content.get("steps", [])))


def _article(row: Article, steps: list[str]) -> Document:
    content = row.content
    causes = " ".join(f"{each['cause']} {each['check']} {each['remedy']}" for each in content.get("causes", []))
    return Document(
        id=row.id,
        type=articles.KIND,
        version=row.version,
        organisation=row.organisation,
        title=content["title"]["zh"],
        summary=content["summary"]["zh"],
        body="\n".join(filter(None, (to_text(row.text), causes))),
        names=steps,
        keywords=(*content["keywords"], *content["terms"], content["title"]["en"]),
        said=content.get("said", ()),
        industries=industries_meant(content["industries"]),
        directions=content["directions"],
        payload={
            "titles": content["title"],
            "summaries": content["summary"],
            "url": f"/articles/{row.id}",
            "kind": content["kind"],
            "status": content["status"],
            "components": content["components"],
            "last_confirmed": content["last_confirmed"],
            "confirm_by": content["confirm_by"],
        },
    )


def _term(row: Term) -> Document:
    content = row.content
    also = "、".join(content["synonyms"])
    return Document(
        id=row.id,
        type=terms.KIND,
        version=row.version,
        organisation=row.organisation,
        title=content["zh"],
        summary=f"{content['en']}；{also}" if also else content["en"],
        keywords=(content["en"], *content["synonyms"], *content["variants"]),
        industries=industries_meant(content["industries"]),
        payload={
            "titles": {"zh": content["zh"], "en": content["en"]},
            "summaries": {"zh": f"又称：{also}" if also else content["en"], "en": also or content["zh"]},
            "url": f"/terms/{row.id}",
            "category": content["category"],
        },
    )
