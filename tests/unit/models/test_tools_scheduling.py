"""Schedules against cases solved by hand, published optima, and the rules that every plan must keep."""

from __future__ import annotations

import gzip
import json
import random
from collections import defaultdict
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest

from services.models.tools.scheduling import Shop, dispatched, job_shop_schedule, solved
from services.models.tools.sequence_model import Line, Task, planned
from services.models.tools.sequencing import dye_vat_sequence, work_order_schedule
from services.models.tools.solver import Budget
from shared.settings import Settings

SLICE = json.loads((Path(__file__).parents[2] / "data" / "job_shop_slice.json").read_text(encoding="utf-8"))
CLEAN = [[10, 10, 10, 10], [40, 20, 15, 15], [70, 50, 25, 20], [100, 80, 50, 25]]


def quiet(_fraction: float, _message: str) -> None:
    pass


def shop_of(instance: dict[str, Any]) -> Shop:
    pairs = zip(instance["machines_matrix"], instance["duration_matrix"], strict=True)
    return Shop(tuple(tuple(zip(machines, lengths, strict=True)) for machines, lengths in pairs))


def steps(*jobs: tuple[tuple[str, float], ...]) -> list[dict[str, Any]]:
    return [
        {"job": f"J{number}", "machine": machine, "minutes": minutes}
        for number, job in enumerate(jobs)
        for machine, minutes in job
    ]


def assert_can_be_done(shop: Shop, starts: Any) -> int:
    """No step before the one before it ends, no two at once on a machine. Returns the makespan."""
    on_machine = defaultdict(list)
    for job, row in zip(shop.jobs, starts, strict=True):
        for (_, length), (start, after) in zip(job, pairwise([*row, 10**9]), strict=True):
            assert start + length <= after
        for (machine, length), start in zip(job, row, strict=True):
            on_machine[machine].append((start, start + length))
    for spans in on_machine.values():
        assert all(one[1] <= other[0] for one, other in pairwise(sorted(spans)))
    return max(row[-1] + job[-1][1] for job, row in zip(shop.jobs, starts, strict=True))


def test_two_jobs_that_cross_on_two_machines_need_what_a_sketch_shows() -> None:
    # J0: A 3, B 2; J1: B 2, A 1. J1 on B while J0 is on A, then both change: A ends at 4, B at 5.
    outputs = job_shop_schedule(steps((("A", 3), ("B", 2)), (("B", 2), ("A", 1))), 5, quiet).outputs
    assert (outputs["makespan_min"], outputs["gap_percent"]) == (5, 0)


def test_fractions_of_a_minute_count() -> None:
    outputs = job_shop_schedule(steps((("A", 0.25), ("B", 1.5)), (("A", 0.25),)), 5, quiet).outputs
    assert outputs["makespan_min"] == pytest.approx(1.75)


def test_a_shop_without_work_is_refused() -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        job_shop_schedule(steps((("A", 0),)), 5, quiet)


@pytest.mark.parametrize("name", ["ft06", "la01", "la06"])
def test_published_optima_are_reached(name: str) -> None:
    shop = shop_of(SLICE[name])
    found = solved(shop, Budget(60, quiet))
    assert assert_can_be_done(shop, found.starts) == found.makespan
    assert (found.makespan, found.bound) == (SLICE[name]["best_known"],) * 2


@pytest.mark.parametrize("name", SLICE)
def test_dispatching_gives_a_schedule_that_can_be_done(name: str) -> None:
    shop = shop_of(SLICE[name])
    assert assert_can_be_done(shop, dispatched(shop)) >= SLICE[name]["best_known"]


def test_a_search_that_has_no_time_still_answers_with_an_honest_gap() -> None:
    shop = shop_of(SLICE["ft10"])
    found = solved(shop, Budget(0.1, quiet))
    assert assert_can_be_done(shop, found.starts) == found.makespan
    assert found.bound <= SLICE["ft10"]["best_known"] <= found.makespan


def test_picture_and_dispatch_list_say_the_same() -> None:
    answer = job_shop_schedule(steps((("A", 3), ("B", 2)), (("B", 2), ("A", 1))), 5, quiet)
    bars = {
        (row["name"], bar["label"], bar["start"], bar["end"]) for row in answer.charts[0]["rows"] for bar in row["bars"]
    }
    assert bars == {(row[0], row[1], row[3], row[4]) for row in answer.tables[0]["rows"]}


def test_the_best_order_on_one_machine_is_that_of_trying_all() -> None:
    tasks = tuple(Task(length, due=due, weight=weight) for length, due, weight in
                  ((4, 6, 1), (3, 9, 3), (7, 12, 2), (2, 5, 1), (5, 20, 1), (6, 14, 2)))  # fmt: skip
    between = tuple(tuple(0 if (a + b) % 2 == 0 else 1 + (a > b) for b in range(6)) for a in range(6))
    line = Line(tasks, between, (0,) * 6)
    plan = planned(line, Budget(60, quiet))
    assert plan.cost == plan.bound == min(line.cost(order) for order in permutations(range(6)))
    assert sorted(plan.routes[0]) == list(range(6))


def orders(*rows: tuple[str, str, float, float]) -> list[dict[str, Any]]:
    return [
        {"order": name, "family": family, "minutes": minutes, "due_min": due, "weight": 1, "release_min": 0}
        for name, family, minutes, due in rows
    ]


def scheduled(rows: list[dict[str, Any]], **changes: Any) -> Any:
    given = {"changeovers": [], "changeover_default_min": 30, "machines": 1, "changeover_weight": 1, **changes}
    return work_order_schedule(rows, **given, seconds=30, progress=quiet)


def test_orders_of_a_family_stay_together_when_nothing_is_urgent() -> None:
    rows = orders(("1", "甲", 60, 0), ("2", "乙", 60, 0), ("3", "甲", 60, 0), ("4", "乙", 60, 0))
    outputs = scheduled(rows).outputs
    assert (outputs["changeover_min"], outputs["late_orders"], outputs["cost_as_given"]) == (30, 0, 90)


def test_an_urgent_order_breaks_a_family() -> None:
    rows = orders(("1", "甲", 60, 60), ("2", "乙", 60, 150), ("3", "甲", 600, 0))
    answer = scheduled(rows)
    assert [row[1] for row in answer.tables[0]["rows"]] == ["1", "2", "3"]
    assert answer.outputs["late_orders"] == 0


def test_two_machines_take_a_family_each() -> None:
    rows = orders(("1", "甲", 60, 130), ("2", "乙", 60, 130), ("3", "甲", 60, 130), ("4", "乙", 60, 130))
    outputs = scheduled(rows, machines=2).outputs
    assert (outputs["cost"], outputs["makespan_min"]) == (0, 120)


def test_no_order_starts_before_its_material_is_there() -> None:
    rows = orders(("1", "甲", 60, 0), ("2", "甲", 60, 100))
    rows[1]["release_min"] = 45
    starts = {row[1]: row[4] for row in scheduled(rows).tables[0]["rows"]}
    assert starts["2"] >= 45


@pytest.mark.parametrize(
    ("rows", "changes"),
    [
        (orders(("1", "甲", 60, 0), ("1", "乙", 60, 0)), {}),
        (orders(("1", "甲", 60, 0)), {"machines": 1.5}),
        (orders(("1", "甲", 60, 0)), {"changeovers": [{"from": "丙", "to": "丁", "minutes": 5}]}),
    ],
)
def test_orders_that_cannot_be_planned_are_refused_in_words(rows: Any, changes: Any) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        scheduled(rows, **changes)


def lots(*rows: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [{"lot": lot, "colour": colour, "depth": depth, "minutes": 100, "due_min": 0} for lot, colour, depth in rows]


def vat(rows: list[dict[str, Any]], **changes: Any) -> Any:
    given = {"cleaning": CLEAN, "start_depth": "已洗净", "water_per_clean_m3": 6, "tardiness_weight": 2, **changes}
    return dye_vat_sequence(rows, **given, seconds=30, progress=quiet)


def test_a_vat_goes_from_light_to_dark_with_one_colour_together() -> None:
    answer = vat(lots(("1", "黑", "黑"), ("2", "米白", "浅"), ("3", "藏青", "深"), ("4", "米白", "浅")))
    assert [row[2] for row in answer.tables[0]["rows"]] == ["米白", "米白", "藏青", "黑"]
    # White to navy 10, navy to black 20; in the order given 100 + 10 + 70.
    assert (answer.outputs["cleaning_min"], answer.outputs["cleaning_as_given_min"]) == (30, 180)
    assert (answer.outputs["cleanings"], answer.outputs["water_m3"]) == (2, 12)


def test_an_urgent_black_lot_comes_first_though_it_costs_cleaning() -> None:
    rows = lots(("1", "米白", "浅"), ("2", "黑", "黑"))
    rows[1]["due_min"] = 100
    answer = vat(rows)
    assert answer.tables[0]["rows"][0][1] == "2"
    assert (answer.outputs["late_lots"], answer.outputs["cleaning_min"]) == (0, 100)


def test_a_vat_that_comes_from_black_is_cleaned_first() -> None:
    outputs = vat(lots(("1", "米白", "浅")), start_depth="黑").outputs
    assert (outputs["cleaning_min"], outputs["cleanings"]) == (100, 1)


def test_cleaning_times_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="4 行 4 列"):
        vat(lots(("1", "米白", "浅")), cleaning=[[0, 1], [1, 0]])


class CancelledError(Exception):
    pass


@pytest.mark.parametrize("looks", [1, 2], ids=["before it begins", "while it runs"])
def test_a_search_stops_at_once_when_its_job_is_cancelled(looks: int) -> None:
    left = iter(range(looks - 1))

    def stop(_fraction: float, _message: str) -> None:
        if next(left, None) is None:
            raise CancelledError

    # 20 jobs over 15 machines in random order: no machine proves an optimum before the second look.
    dice = random.Random(1)
    shop = Shop(
        tuple(tuple((machine, dice.randint(1, 99)) for machine in dice.sample(range(15), 15)) for _ in range(20))
    )
    with pytest.raises(CancelledError):
        solved(shop, Budget(60, stop))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ft10", "la16", "la21", "la36", "abz7", "swv01", "ta01", "ta21"])
def test_benchmarks_stay_near_their_best_known_values(name: str) -> None:
    folder = Settings.load().data_dir
    if folder is None:
        pytest.skip("ZHIGAI_DATA_DIR is not set: the benchmark instances are not here")
    with gzip.open(folder / "job_shop" / "instances.json.gz", "rt", encoding="utf-8") as file:
        instance = json.load(file)[name]
    shop, best = shop_of(instance), instance["metadata"]["upper_bound"]
    found = solved(shop, Budget(10, quiet))
    assert assert_can_be_done(shop, found.starts) == found.makespan
    assert found.bound <= best <= found.makespan
    # Far below the 25 % of dispatching rules, with room for a slow machine.
    assert found.makespan <= 1.15 * best
