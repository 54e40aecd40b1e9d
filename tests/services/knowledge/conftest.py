from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from services.knowledge import app as knowledge
from shared.settings import Settings
from tests.services.callers import without_a_key

DATES = ("last_confirmed", "confirm_by")


def article(
    article_id: str, text: str = "## 怎么看\n\n**“含湿量”**越低，走的热越多。\n", **changes: Any
) -> dict[str, Any]:
    return {
        "id": article_id, "kind": "parameter", "industries": ["dyeing"], "directions": ["equipment"],
        "title": {"zh": f"排风含湿 {article_id}", "en": f"Exhaust humidity {article_id}"},
        "summary": {"zh": "越干越费", "en": "The drier the dearer"}, "keywords": ["排风含湿"], "status": "experience",
        "sources": [{"text": "行业通行工程经验", "status": "experience"}], "standards": [],
        "components": ["stenter-heat-balance"], "related": [], "terms": ["定型机"], "owner": "content-dyeing",
        "last_confirmed": "2026-11-23", "confirm_by": "2027-11-23", **changes, "text": text,
    }  # fmt: skip


@pytest.fixture
def shelf(tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder of article files holding exactly these."""

    def write(*articles: dict[str, Any]) -> Path:
        for old in tmp_path.glob("*.md"):
            old.unlink()
        for content in articles:
            matter = {name: value for name, value in content.items() if name not in (*DATES, "text")}
            dates = "".join(f"{name}: {content[name]}\n" for name in DATES)
            whole = f"---\n{yaml.safe_dump(matter, allow_unicode=True)}{dates}---\n{content['text']}"
            (tmp_path / f"{content['id']}.md").write_text(whole, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def app(settings: Settings) -> Iterator[Any]:
    knowledge.migrate(settings)
    made = knowledge.create_app(settings)
    yield made
    made.extensions["zhigai"].close()


@pytest.fixture
def client(app: Any, settings: Settings) -> FlaskClient:
    """The service called as the gateway calls it for someone without a key."""
    return without_a_key(app, settings)
