"""The plan's targets by indicator, district and year, exactly as its annex prints them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from services.programme.errors import NoSuchTarget
from shared import safe_yaml

FILE = Path(__file__).parents[1] / "content" / "plan.yaml"
YEARS = ("2019", "2020", "2021", "2019-2021")


@dataclass(frozen=True)
class Target:
    indicator: str
    title: Mapping[str, str]
    unit: Mapping[str, str]
    kind: str
    """`flow`: the years add up to the three-year goal. `stock`: the level at the year's end; it may fall."""
    district: str
    year: str
    value: int
    notes: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Plan:
    raw: Mapping[str, Any]
    targets: tuple[Target, ...]

    @property
    def districts(self) -> list[Mapping[str, Any]]:
        return list(self.raw["districts"])

    def district_title(self, district: str) -> Mapping[str, str]:
        title: Mapping[str, str] = next(each["title"] for each in self.districts if each["id"] == district)
        return title


def read(file: Path) -> Plan:
    raw = safe_yaml.loads(file.read_text(encoding="utf-8"))
    targets = [
        Target(
            indicator=row["indicator"],
            title=row["title"],
            unit=row["unit"],
            kind=row["kind"],
            district=district,
            year=year,
            value=value,
            notes=_notes(raw["oddities"], row["indicator"], district),
        )
        for row in raw["annex"]
        for year, values in row["rows"].items()
        for district, value in zip(raw["columns"], values, strict=True)
    ]
    return Plan(raw, tuple(targets))


def _notes(oddities: list[Mapping[str, Any]], indicator: str, district: str) -> tuple[Mapping[str, str], ...]:
    return tuple(
        each["text"] for each in oddities if each["indicator"] == indicator and each["district"] in (district, None)
    )


@cache
def load() -> Plan:
    return read(FILE)


def targets_for(plan: Plan, *, year: str | None = None, district: str | None = None) -> list[Target]:
    """Targets of one year (or of the three years together) and one district. Raises `NoSuchTarget`."""
    if year is not None and year not in YEARS:
        raise NoSuchTarget(field="year", given=year[:40], allowed=YEARS)
    if district is not None:
        district = _district_id(plan, district)
    return [
        each
        for each in plan.targets
        if (year is None or each.year == year) and (district is None or each.district == district)
    ]


def _district_id(plan: Plan, given: str) -> str:
    """The district's id; its names and the aliases people use are taken too."""
    for each in plan.districts:
        if given in (each["id"], each["title"]["zh"], *each["aliases"]):
            return str(each["id"])
    raise NoSuchTarget(field="district", given=given[:40], allowed=tuple(each["id"] for each in plan.districts))
