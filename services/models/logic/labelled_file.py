"""A labelled CSV as people have it: UTF-8 or GBK, maybe gzipped, its columns checked before anything is computed."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Sequence
from pathlib import Path

from services.models.errors import BadInstances

Rows = list[dict[str, str]]


def read(path: Path) -> Rows:
    """The rows. Raises `BadInstances` for what is no CSV with a header and rows."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            raise BadInstances(errors={path.name: ["gzip 文件损坏 / a damaged gzip file"]}) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise BadInstances(errors={path.name: ["编码应为 UTF-8 或 GBK / must be UTF-8 or GBK"]}) from None
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    if not rows:
        raise BadInstances(errors={path.name: ["没有数据行 / no rows"]})
    return rows


def need(path: Path, rows: Rows, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in rows[0]]
    if missing:
        raise BadInstances(errors={path.name: [f"缺少列 / missing columns: {', '.join(missing[:20])}"]})


def number(path: Path, index: int, row: dict[str, str], column: str) -> float:
    """Raises `BadInstances` naming line and column."""
    text = (row.get(column) or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        place = f"{path.name} line {index + 2} {column}"
        raise BadInstances(errors={place: [f"不是数值 / not a number: {text[:40]!r}"]})
    return value
