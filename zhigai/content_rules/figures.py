"""Units that are known, and effects that lie within what the key figure can do at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from zhigai.content_rules.files import KNOWLEDGE, Content

UNITS = KNOWLEDGE / "units.yaml"
KPIS = KNOWLEDGE / "kpis.yaml"

_SPLIT = re.compile(r"[/／·*×、，,或]|(?<=\w)-(?=\S)")
_BRACKET = re.compile(r"[（(][^（）()]*[）)]")
_BEHIND = re.compile(r"(?<=\S) +[\u4e00-\u9fff]{1,8}$")
_NUMBER = re.compile(r"^(?:\d+(?:\.\d+)?)?[十百千万亿]*")
_POWER = re.compile(r"(?:[²³⁻¹]+|\^-?\d)$")
_SHARE_UNITS = ("百分点", "个百分点")


@dataclass(frozen=True)
class Kpi:
    names: tuple[str, ...]
    unit: str
    low: float | None
    high: float | None


def check_figures(content: Content) -> None:
    atoms = known_units(content.root / UNITS)
    kpis = known_kpis(content.root / KPIS)
    for solution in content.solutions.values():
        body = solution.content
        places = [(f"data_points.{n}.unit", each["unit"]) for n, each in enumerate(body["data_points"])]
        places += [(f"effects.{n}.unit", each["unit"]) for n, each in enumerate(body["effects"])]
        if body["investment"] is not None:
            places.append(("investment.unit", body["investment"]["unit"]))
        _check_units(content, solution.path, places, atoms)
        for number, effect in enumerate(body["effects"]):
            said = beyond_range(effect, kpis.get(body["industries"][0], ()))
            if said:
                content.find(solution.path, f"effects.{number}", "range", said)
    for chain in content.chains.values():
        places = [
            (f"steps.{n}.parameters.{m}.unit", parameter["unit"])
            for n, step in enumerate(chain.content["steps"])
            for m, parameter in enumerate(step["parameters"])
        ]
        _check_units(content, chain.path, places, atoms)


def _check_units(content: Content, file: Path, places: list[tuple[str, str]], atoms: frozenset[str]) -> None:
    for path, unit in places:
        unknown = list(unknown_parts(unit, atoms))
        if unknown:
            content.find(file, path, "unit", f"{unit}: {' '.join(unknown)} is not in units.yaml")


def unknown_parts(unit: str, atoms: frozenset[str]) -> Iterator[str]:
    """The parts of a unit that no list names; an empty unit or a dash is a number without one."""
    plain = _BEHIND.sub("", _BRACKET.sub("", unit.strip())).strip()
    if plain in atoms or not plain:
        return
    for part in filter(None, (each.strip() for each in _SPLIT.split(plain))):
        bare = _NUMBER.sub("", part)
        if not {part, bare, _POWER.sub("", part), _POWER.sub("", bare)} & atoms and bare:
            yield part


def beyond_range(effect: Mapping[str, Any], kpis: tuple[Kpi, ...]) -> str | None:
    """What is wrong with an effect that changes its figure by more than the figure's whole range is wide.

    A change in per cent may lead from one end of the range to the other: (high - low) / low upwards and
    (high - low) / high downwards. A change in the figure's own unit, or in points of a share, is at most high - low.
    """
    if effect["high"] is None:
        return None
    if effect["low"] < 0:
        return "an effect is a positive change; `change` says whether lower or higher"
    if effect["unit"] == "%" and effect["change"] == "lower" and effect["high"] >= 100:
        return "nothing falls by 100 % or more"
    kpi = _kpi_of(effect["kpi"], kpis)
    if kpi is None or kpi.low is None or kpi.high is None:
        return None
    width = kpi.high - kpi.low
    if effect["unit"] == "%":
        most = max(
            100 * width / (kpi.high if effect["change"] == "lower" else kpi.low), width if kpi.unit == "%" else 0
        )
    elif effect["unit"] == kpi.unit or (kpi.unit == "%" and effect["unit"] in _SHARE_UNITS):
        most = width
    else:
        return None
    if effect["high"] <= most:
        return None
    usual = f"{kpi.names[0]} usually lies between {kpi.low:g} and {kpi.high:g} {kpi.unit}"
    return f"{effect['high']:g} {effect['unit']}: {usual}, so that at most {most:.3g} {effect['unit']} is possible"


def _kpi_of(name: str, kpis: tuple[Kpi, ...]) -> Kpi | None:
    """The key figure of that name, else the one with the longest name within it."""
    plain = name.replace(" ", "")
    fitting = [
        (len(each), kpi)
        for kpi in kpis
        for each in (own.replace(" ", "") for own in kpi.names)
        if each == plain or (len(each) > 2 and not each.isascii() and each in plain)
    ]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


@cache
def known_units(file: Path) -> frozenset[str]:
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))["units"]
    return frozenset(str(each) for group in raw.values() for each in group)


@cache
def known_kpis(file: Path) -> dict[str, tuple[Kpi, ...]]:
    """By industry."""
    return {
        each["id"]: tuple(Kpi(tuple(kpi["names"]), kpi["unit"], kpi["low"], kpi["high"]) for kpi in each["kpis"])
        for each in yaml.safe_load(file.read_text(encoding="utf-8"))["industries"]
    }


@cache
def industry_words(file: Path) -> frozenset[str]:
    """What the ten industries are called."""
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))["industries"]
    return frozenset(word for each in raw for word in each["words"])
