"""Several values in one column: ` industry:dyeing direction:equipment `, so that one LIKE filters on both engines.

Some hundred entries do not repay a table of its own per filter; JSON operators differ between the engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa


def tags_of(values: Mapping[str, Iterable[str]]) -> str:
    return " " + "".join(f"{name}:{value} " for name, each in values.items() for value in each)


def tagged(column: Any, name: str, value: str) -> sa.ColumnElement[bool]:
    """Rows whose tags hold `value` under `name`."""
    found: sa.ColumnElement[bool] = column.contains(f" {name}:{value} ", autoescape=True)
    return found
