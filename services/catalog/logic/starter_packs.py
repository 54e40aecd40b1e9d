"""The starter packs as the service reads them: each file once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.catalog.logic import starter_files
from services.catalog.store import solutions as store
from shared.database import Database, Scoped
from shared.errors import NotFound
from shared.fields import INDUSTRIES
from shared.identity import Principal


class StarterPacks:
    def __init__(self, folder: Path = starter_files.FOLDER) -> None:
        self._folder = folder
        self._read: dict[str, dict[str, Any]] = {}

    def of(self, industry: str) -> dict[str, Any]:
        """The pack of an industry. Raises `NotFound`."""
        if industry not in self._read:
            file = self._folder / f"{industry}.yaml"
            if industry not in INDUSTRIES or not file.is_file():
                raise NotFound(kind="starter pack", id=industry[:120])
            self._read[industry] = starter_files.read_one(file).content
        return self._read[industry]


def titles(database: Database, principal: Principal, pack: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """Titles of the pack's solutions that the caller may see, by id."""
    with database.read() as session:
        return store.titles(Scoped(session, principal), [measure["solution"] for measure in pack["measures"]])
