"""The chains as the service reads them: each file once, when it is first asked for."""

from __future__ import annotations

from pathlib import Path

from services.knowledge.logic import chain_files
from services.knowledge.logic.chain_files import ReadChain
from shared.errors import NotFound
from shared.industry_files import ByIndustry


class Chains(ByIndustry[ReadChain]):
    def __init__(self, folder: Path = chain_files.FOLDER) -> None:
        super().__init__(folder, chain_files.read_one, "chain")

    def step_names(self, industry: str, steps: list[str]) -> list[str]:
        """What the steps are called in Chinese and English; those of an unknown chain have no names."""
        try:
            known = self.of(industry).steps
        except NotFound:
            return []
        return [known[step][name] for step in steps if step in known for name in ("zh", "en")]
