"""The mark of what was loaded: kept in the file, lost with it, and changed by any file that was read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.database.loaded import has_mark, mark_of, set_mark
from shared.settings import Settings
from zhigai import platform


def test_a_mark_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    file = tmp_path / "a" / "entry.yaml"
    file.write_text("one")
    first = mark_of([tmp_path])
    assert mark_of([tmp_path]) == first
    os.utime(file, ns=(1, 1))
    touched = mark_of([tmp_path])
    file.rename(tmp_path / "a" / "other.yaml")
    renamed = mark_of([tmp_path])
    (tmp_path / "a" / "__pycache__").mkdir()
    (tmp_path / "a" / "__pycache__" / "x.pyc").write_text("")
    assert mark_of([tmp_path]) == renamed
    assert len({0, first, touched, renamed}) == 4


def test_a_platform_that_was_prepared_reads_its_content_once(
    embedded_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = embedded_settings()
    read: list[str] = []
    monkeypatch.setattr(platform, "UPSTREAM_SERVICES", ("programme",))
    monkeypatch.setattr(platform, "DATA_SERVICES", ("programme", "gateway"))
    monkeypatch.setattr(platform, "INDEXED_SERVICES", ())
    whole = platform.load_content
    monkeypatch.setattr(platform, "load_content", lambda given: (read.append("content"), whole(given)))
    platform.prepare(settings)
    older = settings.home / "older"
    shutil.copytree(settings.home / "db", older)
    platform.prepare(settings)
    assert len(read) == 1
    assert not (settings.home / "db" / "programme.sqlite3").exists(), "no file for a service without a database"
    (settings.home / "db" / "gateway.sqlite3").unlink()
    platform.prepare(settings)
    assert len(read) == 2
    set_mark(settings, "gateway", 5)
    platform.prepare(settings)
    assert len(read) == 3
    assert not has_mark(settings, "gateway", 5)
    assert not has_mark(settings, "catalog", 5), "there is no such file"
