"""The chains as the service reads them: each file once, when it is first asked for."""

from __future__ import annotations

from pathlib import Path

from services.knowledge.logic import chain_files
from services.knowledge.logic.chain_files import ReadChain
from shared.errors import NotFound
from shared.fields import INDUSTRIES


class Chains:
    def __init__(self, folder: Path = chain_files.FOLDER) -> None:
        self._folder = folder
        self._read: dict[str, ReadChain] = {}

    def of(self, industry: str) -> ReadChain:
        """The chain of an industry. Raises `NotFound`."""
        if industry not in self._read:
            file = self._folder / f"{industry}.yaml"
            if industry not in INDUSTRIES or not file.is_file():
                raise NotFound(kind="chain", id=industry[:120])
            self._read[industry] = chain_files.read_one(file)
        return self._read[industry]

    def step_names(self, industry: str, steps: list[str]) -> list[str]:
        """What the steps are called in Chinese and English; those of an unknown chain have no names."""
        try:
            known = self.of(industry).steps
        except NotFound:
            return []
        return [known[step][name] for step in steps if step in known for name in ("zh", "en")]
