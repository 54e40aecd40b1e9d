"""What the search index holds of the catalog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.catalog.store import providers, solutions
from services.catalog.store.providers import Provider
from services.catalog.store.solutions import Solution
from shared.search.port import Document


def document_of(session: Session, kind: str, row_id: str) -> Document | None:
    """The document of a row as it stands now, or None when it is gone."""
    if kind == solutions.KIND:
        solution = session.get(Solution, row_id)
        return None if solution is None else _solution(solution)
    if kind == providers.KIND:
        provider = session.get(Provider, row_id)
        return None if provider is None else _provider(provider)
    return None


def documents(session: Session) -> Iterator[Document]:
    """Everything, for building the index anew."""
    for solution in session.execute(sa.select(Solution).order_by(Solution.id)).scalars():
        yield _solution(solution)
    for provider in session.execute(sa.select(Provider).order_by(Provider.id)).scalars():
        yield _provider(provider)


def _solution(row: Solution) -> Document:
    content: Mapping[str, Any] = row.content
    measures = "\n".join(f"{each['title']} {each['text']}" for each in content["measures"])
    points = " ".join(each["name"] for each in content["data_points"])
    integration = "\n".join(
        f"{each['with']} {each['protocol']} {each['how']}" for each in content.get("integration", [])
    )
    body = "\n".join(
        [
            content["problem"],
            content["suits"],
            measures,
            points,
            *content.get("equipment", []),
            integration,
            *content["acceptance"],
            *content["risks"],
        ]
    )
    return Document(
        id=row.id,
        type=solutions.KIND,
        version=row.version,
        organisation=row.organisation,
        title=content["title"]["zh"],
        summary=content["summary"]["zh"],
        body=body,
        names=[step.replace("-", " ") for step in content.get("steps", [])],
        keywords=(*content["keywords"], *content["terms"], content["title"]["en"]),
        said=content.get("said", ()),
        industries=content["industries"],
        directions=content["directions"],
        payload={
            "titles": content["title"],
            "summaries": content["summary"],
            "url": f"/solutions/{row.id}",
            "effects": content["effects"],
            "investment": content["investment"],
            "subsidy_rule": content["subsidy_rule"],
            "components": content["components"],
            "last_confirmed": content["last_confirmed"],
            "confirm_by": content["confirm_by"],
        },
    )


def _provider(row: Provider) -> Document:
    content: Mapping[str, Any] = row.content
    summary = content["summary"]
    return Document(
        id=row.id,
        type=providers.KIND,
        version=row.version,
        organisation=row.organisation,
        title=row.name,
        summary=summary["zh"],
        body=summary.get("en") or "",
        industries=content["industries"],
        directions=content["directions"],
        payload={
            "titles": {"zh": row.name, "en": row.name},
            "summaries": summary,
            "url": f"/providers/{row.id}",
            "kinds": content["kinds"],
        },
    )
