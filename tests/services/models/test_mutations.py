"""Ten thousand requests that are wrong in a way a program or a person gets wrong: what is flagged, and how surely.

Each rate is what `docs/trust.md` states. A request is caught when it is refused or carries a warning that an unchanged
one does not: out of range, unusual combination, short or doubled history. Rows are real ones (tests/data).
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pytest

from services.models.errors import BadInstances
from services.models.inference.predict import predict
from services.models.inference.release import SHIPPED, LoadedRelease, open_release
from services.models.inference.sessions import load
from services.models.training import steel_energy_15min

DATA = Path(__file__).parents[2] / "data"
FLAGS = frozenset({"out_of_range", "unusual_combination", "duplicate_stamps", "history_gaps", "stuck_meter"})
Row = dict[str, float]
Mutation = Callable[[Row, random.Random], Row | None]


@lru_cache
def release_of(name: str) -> LoadedRelease:
    return load(open_release([SHIPPED], name))


SLICES = {
    "steel-plate-faults": "steel_plate_faults",
    "ai4i-maintenance": "ai4i_maintenance",
    "gas-turbine-co": "gas_turbine_2013",
    "gas-turbine-yield": "gas_turbine_2013",
}


def rows_of(name: str) -> list[Row]:
    """Real rows of the release's numeric features."""
    if name == "steel-energy-15min":
        matrix, _, _ = steel_energy_15min.read(DATA / "steel_energy.csv.gz")
        names = [feature.name for feature in release_of(name).signature.inputs]
        return [dict(zip(names, map(float, row), strict=True)) for row in matrix[::12]]
    with gzip.open(DATA / f"{SLICES[name]}.csv.gz", "rt", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    names = [feature.name for feature in release_of(name).signature.inputs if not feature.choices]
    return [{each: float(row[each]) for each in names} for row in found]


def caught(name: str, rows: list[Row]) -> list[bool]:
    """Of a choice the first is sent: a word cannot be mistaken for a number."""
    chosen = {each.name: each.choices[0] for each in release_of(name).signature.inputs if each.choices}
    instances = [{**row, **chosen} for row in rows]
    answer = predict(release_of(name), {"instances": instances}, "en")
    return [any(warning["code"] in FLAGS for warning in each["warnings"]) for each in answer["predictions"]]


def a_unit_a_thousand_times_too_large(row: Row, chance: random.Random) -> Row | None:
    return _scaled(row, chance, 1000.0)


def a_unit_a_thousand_times_too_small(row: Row, chance: random.Random) -> Row | None:
    return _scaled(row, chance, 0.001)


def two_columns_swapped(row: Row, chance: random.Random) -> Row | None:
    one, other = chance.sample(sorted(row), 2)
    # A swap of equal values changes nothing, so there is nothing to find.
    return None if row[one] == row[other] else {**row, one: row[other], other: row[one]}


def all_columns_one_place_on(row: Row, chance: random.Random) -> Row | None:
    names = list(row)
    return {name: row[names[place - 1]] for place, name in enumerate(names)}


def a_sign_lost(row: Row, chance: random.Random) -> Row | None:
    return _scaled(row, chance, -1.0)


def everything_zero(row: Row, chance: random.Random) -> Row | None:
    return dict.fromkeys(row, 0.0)


def a_value_beyond_its_range(row: Row, chance: random.Random) -> Row | None:
    name = chance.choice(sorted(row))
    return {**row, name: row[name] + chance.choice((-1, 1)) * 1e9}


def _scaled(row: Row, chance: random.Random, factor: float) -> Row | None:
    name = chance.choice([each for each in sorted(row) if row[each] != 0])
    return {**row, name: row[name] * factor}


MUTATIONS = (
    a_unit_a_thousand_times_too_large,
    a_unit_a_thousand_times_too_small,
    two_columns_swapped,
    all_columns_one_place_on,
    a_sign_lost,
    everything_zero,
    a_value_beyond_its_range,
)
RATES: dict[str, dict[Mutation, float]] = {
    name: dict(zip(MUTATIONS, rates, strict=True))
    for name, rates in {
        "steel-plate-faults": (0.99, 0.8, 0.9, 1.0, 0.94, 1.0, 1.0),
        "ai4i-maintenance": (0.99, 0.75, 0.95, 1.0, 0.99, 1.0, 1.0),
        "gas-turbine-co": (0.99, 0.99, 0.97, 1.0, 0.99, 1.0, 1.0),
        "gas-turbine-yield": (0.99, 0.99, 0.97, 1.0, 0.99, 1.0, 1.0),
        # Readings of neighbouring quarter hours are alike: a swap of two gives a row that might have been.
        "steel-energy-15min": (0.99, 0.8, 0.2, 0.9, 0.99, 1.0, 1.0),
    }.items()
}
EACH = 250


@pytest.mark.parametrize("name", RATES)
def test_a_wrong_row_is_flagged_at_the_stated_rate(name: str) -> None:
    chance, rows = random.Random(11), rows_of(name)
    ordinary = caught(name, rows)
    assert sum(ordinary) / len(ordinary) < 0.05, "ordinary rows are rarely flagged"
    for mutation, rate in RATES[name].items():
        mutated = [mutation(chance.choice(rows), chance) for _ in range(EACH)]
        wrong = [each for each in mutated if each is not None]
        found = sum(caught(name, wrong)) / len(wrong)
        assert found >= rate, f"{mutation.__name__}: {found:.3f} flagged"


@lru_cache
def readings() -> list[tuple[datetime, float]]:
    with gzip.open(DATA / "steel_energy.csv.gz", "rt", encoding="utf-8") as file:
        return [(datetime.fromisoformat(row["interval_end"]), float(row["usage_kwh"])) for row in csv.DictReader(file)]


def forecast(history: list[tuple[datetime, float]], day: datetime) -> str:
    """`refused`, `flagged` or `silent` for a forecast of eight intervals of the day."""
    instances = [{"interval_end": f"{day + timedelta(hours=hour):%Y-%m-%d %H:%M}"} for hour in range(1, 24, 3)]
    sent = [{"interval_end": f"{end:%Y-%m-%d %H:%M}", "usage_kwh": value} for end, value in history]
    try:
        answer = predict(release_of("steel-energy"), {"instances": instances, "history": sent}, "en")
    except BadInstances:
        return "refused"
    said = [warning["code"] for each in answer["predictions"] for warning in each["warnings"]]
    return "flagged" if FLAGS.intersection(said) else "silent"


History = list[tuple[datetime, float]]
WRONG_HISTORIES: dict[str, tuple[Callable[[History, datetime, random.Random], History], float]] = {
    "kW sent for kWh of a quarter hour": (lambda past, day, chance: [(end, 4 * value) for end, value in past], 0.9),
    "MWh sent for kWh": (lambda past, day, chance: [(end, value / 1000) for end, value in past], 1.0),
    "Wh sent for kWh": (lambda past, day, chance: [(end, 1000 * value) for end, value in past], 1.0),
    "a day old": (lambda past, day, chance: [each for each in past if each[0] <= day - timedelta(days=1)], 1.0),
    "a month old": (lambda past, day, chance: [(end - timedelta(days=28), value) for end, value in past], 1.0),
    "readings negative": (lambda past, day, chance: [(end, -value - 1) for end, value in past], 1.0),
    "stamps given twice": (lambda past, day, chance: past + chance.sample(past, 20), 1.0),
    "a counter instead of its differences": (lambda past, day, chance: _counter(past), 1.0),
    "the meter stuck": (lambda past, day, chance: [(end, past[0][1]) for end, _ in past], 0.9),
    "days missing": (lambda past, day, chance: [each for each in past if each[0] <= day - timedelta(days=3)], 1.0),
}


def _counter(past: History) -> History:
    total, found = 0.0, []
    for end, value in past:
        total += value
        found.append((end, total))
    return found


@pytest.mark.parametrize("kind", WRONG_HISTORIES)
def test_a_wrong_history_is_refused_or_flagged_at_the_stated_rate(kind: str) -> None:
    spoil, rate = WRONG_HISTORIES[kind]
    chance = random.Random(5)
    days = [datetime(2018, 10, day) for day in range(1, 25)]
    said = []
    for day in days:
        past = [each for each in readings() if day - timedelta(days=14) < each[0] <= day]
        said.append(forecast(spoil(past, day, chance), day))
    assert sum(each != "silent" for each in said) / len(said) >= rate, said


def test_an_ordinary_history_is_rarely_flagged() -> None:
    flagged = []
    for day in (datetime(2018, 10, number) for number in range(1, 25)):
        past = [each for each in readings() if each[0] <= day]
        sent = [{"interval_end": f"{end:%Y-%m-%d %H:%M}", "usage_kwh": value} for end, value in past]
        instances = [{"interval_end": f"{day + timedelta(hours=hour):%Y-%m-%d %H:%M}"} for hour in range(1, 24, 3)]
        answer = predict(release_of("steel-energy"), {"instances": instances, "history": sent}, "en")
        for each in answer["predictions"]:
            flagged.append(any(warning["code"] in FLAGS for warning in each["warnings"]))
    assert sum(flagged) / len(flagged) < 0.05
