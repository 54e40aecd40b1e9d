"""The industries' diagnosis questions as the service reads them: each file once, when it is first asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.programme.logic import diagnosis_files
from shared.errors import NotFound
from shared.fields import INDUSTRIES


class DiagnosisAddOns:
    def __init__(self, folder: Path = diagnosis_files.FOLDER) -> None:
        self._folder = folder
        self._read: dict[str, dict[str, Any]] = {}

    def of(self, industry: str) -> dict[str, Any]:
        """The questions of an industry. Raises `NotFound`."""
        if industry not in self._read:
            file = self._folder / f"{industry}.yaml"
            if industry not in INDUSTRIES or not file.is_file():
                raise NotFound(kind="diagnosis add-on", id=industry[:120])
            self._read[industry] = diagnosis_files.read_one(file).content
        return self._read[industry]
