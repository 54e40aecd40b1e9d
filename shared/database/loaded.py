"""What was loaded into a SQLite file last, kept in its header (`PRAGMA user_version`).

The mark travels with the file: one that was deleted, or put back from an older copy, no longer carries the mark that is
expected, and is brought up to date as at its first start.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable
from pathlib import Path

from shared.settings import Settings


def mark_of(folders: Iterable[Path]) -> int:
    """A number that changes with any file of these folders, by path, size and time of change; never 0."""
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            if "__pycache__" not in path.parts and path.is_file():
                state = path.stat()
                found.append(f"{path.relative_to(folder.parent)} {state.st_size} {state.st_mtime_ns}")
    return (zlib.crc32("\n".join(sorted(found)).encode()) & 0x7FFFFFFF) or 1


def has_mark(settings: Settings, service: str, mark: int) -> bool:
    """False on PostgreSQL, where several programs may load, and for a file that is not there."""
    path = _file(settings, service)
    if settings.database_url is not None or not path.exists():
        return False
    connection = sqlite3.connect(path, timeout=5)
    try:
        return bool(connection.execute("PRAGMA user_version").fetchone()[0] == mark)
    finally:
        connection.close()


def set_mark(settings: Settings, service: str, mark: int) -> None:
    """After everything was loaded. Nothing is done on PostgreSQL."""
    if settings.database_url is not None:
        return
    connection = sqlite3.connect(_file(settings, service), timeout=5)
    try:
        connection.execute(f"PRAGMA user_version = {int(mark)}")
    finally:
        connection.close()


def _file(settings: Settings, service: str) -> Path:
    return settings.home / "db" / f"{service}.sqlite3"
