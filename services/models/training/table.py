"""A user's own table as training and prediction read it, and the part that each column plays. Knows no numpy."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson

Value = str | float | datetime | None
Kind = Literal["number", "date", "text", "constant", "empty"]
Task = Literal["regression", "classification"]


@dataclass
class Table:
    """Columns of equal length under the names that people gave them, without the unit in their header.

    Numbers are floats, moments are `datetime` without a zone (local time of the plant), text is stripped, and what is
    missing is None.
    """

    columns: dict[str, list[Value]]
    kinds: dict[str, Kind]
    """A column with one value only is `constant`, whatever that value is; one without any is `empty`."""
    rows: int
    units: dict[str, str] = field(default_factory=dict)
    """Column -> unit as the header or the cells say it; a column without one is not listed."""
    headers: dict[str, str] = field(default_factory=dict)
    """Column -> header as it stood in the file, for writing the file again."""
    lines: list[int] = field(default_factory=list)
    """Line of the file that each row stood on, counted from 1."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    """What the reader met on its way, as warnings (`training.table_warnings`)."""

    def line_of(self, row: int) -> int:
        return self.lines[row] if self.lines else row + 2

    def as_bytes(self) -> bytes:
        """The table for a blob; `from_bytes` gives an equal one."""
        columns = [
            {
                "name": name,
                "dates": any(isinstance(value, datetime) for value in values[:1000]) or self.kinds[name] == "date",
                "values": values,
            }
            for name, values in self.columns.items()
        ]
        whole = {
            "rows": self.rows,
            "kinds": self.kinds,
            "units": self.units,
            "headers": self.headers,
            "lines": self.lines,
            "notes": self.notes,
            "columns": columns,
        }
        return zlib.compress(orjson.dumps(whole), 1)

    @classmethod
    def from_bytes(cls, content: bytes) -> Table:
        whole = orjson.loads(zlib.decompress(content))
        columns: dict[str, list[Value]] = {}
        for column in whole.pop("columns"):
            values = column["values"]
            if column["dates"]:
                values = [None if value is None else datetime.fromisoformat(value) for value in values]
            columns[column["name"]] = values
        return cls(columns=columns, **whole)


@dataclass(frozen=True)
class Roles:
    """What a training is asked for."""

    target: str
    title: str
    name: str
    """Of the component that the training would publish."""
    task: Task | None = None
    """None: found from the target."""
    features: tuple[str, ...] = ()
    """Empty: all that can be used."""
    time: str | None = None
    group: str | None = None
    """Column whose rows belong together (machine, batch, coil) and are never split between training and test."""
    template: str | None = None
    coverage: float = 0.9
    """Share of future rows that the interval is to hold."""
    budget_s: float = 120
    unit: str = ""
    """Of the target."""
    options: dict[str, Any] = field(default_factory=dict)
    """What a template asks for beyond the roles, such as the day of a retrofit; each template says which it knows."""
