"""Content with one file for each industry: read strictly by a schema, and served, each file once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import marshmallow as ma

from shared import safe_yaml
from shared.errors import NotFound
from shared.fields import INDUSTRIES

_T = TypeVar("_T")


def content_of(path: Path, schema: type[ma.Schema], what: str) -> dict[str, Any]:
    """The file's mapping as the schema loads it; members that it does not name are refused.

    Raises `marshmallow.ValidationError` by field (`what` names the file's kind), `yaml.YAMLError` for no YAML at all.
    """
    raw = safe_yaml.loads(path.read_text(encoding="utf-8"))
    if not isinstance(raw, Mapping):
        raise ma.ValidationError(f"a {what} file holds one mapping")
    loaded: dict[str, Any] = schema(unknown=ma.RAISE).load(dict(raw))
    return loaded


class ByIndustry(Generic[_T]):
    """`folder/<industry>.yaml`, each read when it is first asked for. `kind` is what `NotFound` says is missing."""

    def __init__(self, folder: Path, read_one: Callable[[Path], _T], kind: str) -> None:
        self._folder, self._read_one, self._kind = folder, read_one, kind
        self._read: dict[str, _T] = {}

    def of(self, industry: str) -> _T:
        """What the industry's file holds. Raises `NotFound`."""
        if industry not in self._read:
            file = self._folder / f"{industry}.yaml"
            if industry not in INDUSTRIES or not file.is_file():
                raise NotFound(kind=self._kind, id=industry[:120])
            self._read[industry] = self._read_one(file)
        return self._read[industry]
