"""What the search index holds of the library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.models.store.components import KIND, LISTED, Component, Release, release_id
from shared.search.port import Document


def document_of(session: Session, kind: str, row_id: str) -> Document | None:
    """The document of a component as it stands now, or None when it is gone."""
    row = session.get(Component, row_id) if kind == KIND else None
    return None if row is None or row.stage not in LISTED else _document(session, row)


def documents(session: Session) -> Iterator[Document]:
    """Everything, for building the index anew."""
    for row in session.execute(
        sa.select(Component).where(Component.stage.in_(LISTED)).order_by(Component.id)
    ).scalars():
        yield _document(session, row)


def _document(session: Session, row: Component) -> Document:
    content = row.content
    release = session.get(Release, release_id(row.id, row.stable))
    features = release.content["signature"]["inputs"] if release is not None else []
    return Document(
        id=row.id,
        type="component",
        version=row.version,
        organisation=row.organisation,
        title=content["title"]["zh"],
        summary=content["summary"]["zh"],
        body=content["answers"]["zh"],
        names=[feature["title_zh"] for feature in features],
        keywords=(*content["keywords"], content["title"]["en"]),
        said=content.get("said", ()),
        industries=content["industries"],
        directions=content["directions"],
        payload={
            "titles": content["title"],
            "summaries": content["summary"],
            "url": f"/components/{row.id}",
            "kind": row.kind,
            "inputs": [_input(feature) for feature in features if feature.get("datatype") in _FILLABLE],
        },
    )


_FILLABLE = ("FP64", "FP32", "INT64", "INT32", "BYTES", "STRING")


def _input(feature: Mapping[str, Any]) -> dict[str, Any]:
    """What search needs to fill an input with an amount of a query."""
    return {
        name: feature[name] for name in ("name", "unit", "title_zh", "minimum", "maximum", "choices") if name in feature
    }
