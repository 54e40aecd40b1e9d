"""Control charts, gauge study and Pareto ranking against published figures, hand computation and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from services.models.tools.attribute_charts import attribute_chart
from services.models.tools.control_charts import control_chart
from services.models.tools.gauge import ONE_RANGE, f_above, gage_rr
from services.models.tools.quality import pareto
from services.models.tools.run_rules import RULES, hits

# Ten parts, three operators (blocks), three trials (rows): the worked study of the AIAG MSA manual.
STUDY = [
    [
        [0.29, -0.56, 1.34, 0.47, -0.80, 0.02, 0.59, -0.31, 2.26, -1.36],
        [0.41, -0.68, 1.17, 0.50, -0.92, -0.11, 0.75, -0.20, 1.99, -1.25],
        [0.64, -0.58, 1.27, 0.64, -0.84, -0.21, 0.66, -0.17, 2.01, -1.31],
    ],
    [
        [0.08, -0.47, 1.19, 0.01, -0.56, -0.20, 0.47, -0.63, 1.80, -1.68],
        [0.25, -1.22, 0.94, 1.03, -1.20, 0.22, 0.55, 0.08, 2.12, -1.62],
        [0.07, -0.68, 1.34, 0.20, -1.28, 0.06, 0.83, -0.34, 2.19, -1.50],
    ],
    [
        [0.04, -1.38, 0.88, 0.14, -1.46, -0.29, 0.02, -0.46, 1.77, -1.49],
        [-0.11, -1.13, 1.09, 0.20, -1.07, -0.67, 0.01, -0.56, 1.45, -1.77],
        [-0.15, -0.96, 0.67, 0.11, -1.45, -0.49, 0.21, -0.49, 1.87, -2.16],
    ],
]
READINGS = [STUDY[operator][trial][part] for part in range(10) for operator in range(3) for trial in range(3)]
CALM = [0.4, -0.6, 1.2, -0.3, 0.5, -1.1, 0.2, 0.7, -0.4, -0.8, 1.3, 0.1, -0.2, 0.9, -1.4, 0.3]
"""Distances in standard errors in which no test finds anything."""


def _found(distances: list[float]) -> list[tuple[int, int, int]]:
    return [(hit.rule.number, hit.first, hit.last) for hit in hits(distances, RULES)]


def test_an_ordinary_series_raises_no_signal() -> None:
    assert not _found(CALM)


@pytest.mark.parametrize(
    ("number", "distances", "places"),
    [
        (1, [0.5, -3.01, 0.2], (2, 2)),
        (2, [-0.5, *[0.6, 0.4, 1.2] * 3, -0.5], (2, 10)),
        (3, [0.5, -1.2, -0.7, -0.1, 0.4, 0.9, 1.5, 0.2], (2, 7)),
        (4, [0.5, -0.5] * 7, (1, 14)),
        (5, [0.1, 2.1, -0.3, 2.2, 0.4], (2, 4)),
        (6, [-0.2, 1.1, 1.2, 0.3, 1.4, 1.5, -0.4], (2, 6)),
        (7, [0.3, -0.4, 0.5, 0.6, -0.2] * 3, (1, 15)),
        (8, [1.2, -1.3, 1.4, 1.1, -1.6, -1.2, 1.5, -1.1], (1, 8)),
    ],
)
def test_each_test_finds_its_pattern_and_names_the_points(
    number: int, distances: list[float], places: tuple[int, int]
) -> None:
    assert (number, *places) in _found(distances)


@pytest.mark.parametrize(
    ("number", "distances"),
    [
        (1, [3.0, -3.0]),
        (2, [0.6, 0.4, 1.2, 0.9, 0.3, 1.1, 0.8, 0.2, -0.1]),
        (3, [-1.2, -0.7, -0.1, -0.1, 0.4, 0.9, 1.5]),
        (4, [0.5, -0.5] * 6 + [0.5, 0.5]),
        (5, [2.1, 0.3, -2.2]),
        (6, [1.1, -1.2, 1.3, 1.4, 0.2]),
        (7, [0.3, -0.4] * 7 + [1.0]),
        (8, [1.2, -1.3, 1.4, 1.1, -1.6, -1.2, 1.5, 0.9]),
    ],
)
def test_each_test_keeps_quiet_one_step_short_of_its_pattern(number: int, distances: list[float]) -> None:
    assert number not in {rule for rule, _, _ in _found(distances)}


def test_windows_that_overlap_are_told_as_one_run() -> None:
    assert (2, 1, 12) in _found([0.5, 0.3] * 6)


def test_limits_of_averages_and_ranges_follow_the_constants() -> None:
    answer = control_chart([9.0, 10.0, 11.0, 12.0, 13.0] * 5, 5, "1-8")
    assert answer.outputs["centre"] == pytest.approx(11)
    assert answer.outputs["upper_limit"] == pytest.approx(11 + 0.577 * 4)
    assert answer.outputs["range_upper"] == pytest.approx(2.114 * 4)
    assert answer.outputs["sigma_within"] == pytest.approx(4 / 2.326, abs=1e-6)
    assert answer.outputs["groups"] == 5
    assert "暂定" in answer.notes[1]["zh"]


def test_limits_of_individuals_follow_the_moving_range() -> None:
    outputs = control_chart([10.0, 11.0] * 10, 1, "1").outputs
    assert outputs["upper_limit"] == pytest.approx(10.5 + 3 / 1.128, abs=1e-5)
    assert outputs["range_upper"] == pytest.approx(3.267)


def test_every_hit_stands_in_the_table_with_its_test() -> None:
    values = [10.0, 10.1] * 15 + [11.0]
    answer = control_chart(values, 1, "1")
    (table,) = answer.tables
    named = [column["name"] for column in table["columns"]]
    rows = [dict(zip(named, row, strict=True)) for row in table["rows"]]
    assert len(rows) == answer.outputs["signals"]
    assert {(row["chart"][:3], row["rule"], row["last"]) for row in rows} == {("单值图", 1, 31), ("移动极", 1, 30)}
    assert "第 31 点" in answer.notes[0]["zh"]


def test_fewer_tests_find_fewer_signals() -> None:
    values = [10.0, 10.2, 9.9, 10.1, 9.8] * 3 + [10.2, 10.25, 10.15, 10.2, 10.3, 10.25, 10.15, 10.2, 10.3, 10.2]
    few, all_of_them = (control_chart(values, 1, rules).outputs["signals"] for rules in ("1", "1-8"))
    assert few < all_of_them


@pytest.mark.parametrize(
    ("values", "size"), [([1.0, 2.0] * 5, 1), ([1.0] * 30, 5), ([1.0, 2.0] * 20, 2.5), ([1.0, 2.0] * 20, 11)]
)
def test_measurements_that_cannot_be_charted_are_refused(values: list[float], size: float) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        control_chart(values, size, "1-8")


@pytest.mark.parametrize(
    ("kind", "counts", "sizes", "limits"),
    [
        # pbar = 0.1: 0.1 -+ 3 sqrt(0.09 / 100); np ten times that; c: 9 -+ 9; u: 9 -+ 3 sqrt(9 / 4).
        ("p", [8, 12] * 10, [100], (0.01, 0.1, 0.19)),
        ("np", [8, 12] * 10, [100], (1.0, 10.0, 19.0)),
        ("c", [7, 11] * 10, [1], (0.0, 9.0, 18.0)),
        ("u", [28, 44] * 10, [4], (4.5, 9.0, 13.5)),
    ],
)
def test_limits_of_counts_are_three_standard_errors(
    kind: str, counts: list[float], sizes: list[float], limits: tuple[float, float, float]
) -> None:
    outputs = attribute_chart(kind, counts, sizes).outputs
    found = tuple(outputs[name] for name in ("lower_limit", "centre", "upper_limit"))
    assert found == pytest.approx(limits)


def test_a_lower_limit_below_nought_is_nought_and_the_sample_that_mends_it_is_named() -> None:
    answer = attribute_chart("p", [4, 6] * 10, [200])
    assert answer.outputs["lower_limit"] == 0
    # n > 9 (1 - p) / p with p = 0.025
    assert "351" in answer.notes[1]["zh"]
    assert attribute_chart("p", [9.0] * 19 + [10.0], [361]).outputs["lower_limit"] > 0


def test_each_sample_of_its_own_size_has_its_own_limits() -> None:
    counts, sizes = [10.0] * 10 + [20.0] * 10, [100.0] * 10 + [200.0] * 10
    answer = attribute_chart("p", counts, sizes)
    rows = answer.tables[-1]["rows"]
    assert rows[0][4:] == pytest.approx([0.01, 0.19])
    assert rows[-1][4:] == pytest.approx([0.1 - 3 * math.sqrt(0.09 / 200), 0.1 + 3 * math.sqrt(0.09 / 200)], abs=1e-5)
    assert answer.charts[0]["upper"] == 3


def test_a_bad_shift_is_found_and_an_improvement_too() -> None:
    bad = attribute_chart("np", [*[4, 6] * 10, 20], [200])
    assert bad.outputs["points_outside"] == 1
    assert "第 21 点" in bad.notes[0]["zh"]
    better = attribute_chart("c", [14, 10, 13, 11, 12, 14, 11, 13, 12, *[6, 7, 5, 6, 8, 7, 6, 5, 7]], [1])
    assert "连续偏低" in better.notes[0]["zh"]


def test_counts_that_scatter_more_than_chance_are_flagged() -> None:
    answer = attribute_chart("p", [600, 900, 700, 1000] * 6, [50_000])
    assert any("批间差别" in note["zh"] for note in answer.notes)


@pytest.mark.parametrize(
    ("kind", "counts", "sizes"),
    [
        ("np", [1.0] * 12, [100.0] * 11 + [90.0]), ("c", [1.0] * 12, [1.0] * 11 + [2.0]), ("p", [5.0] * 12, [3.0]),
        ("p", [1.5] * 12, [30.0]), ("p", [0.0] * 12, [30.0]), ("p", [1.0] * 5, [30.0]), ("p", [1.0] * 12, [30.0] * 3),
        ("u", [1.0] * 12, [0.0]),
    ],
)  # fmt: skip
def test_counts_that_do_not_suit_the_chart_are_refused(kind: str, counts: list[float], sizes: list[float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        attribute_chart(kind, counts, sizes)


def test_average_and_range_give_the_published_study() -> None:
    outputs = gage_rr(READINGS, 10, 3, 3, 0, "average-range").outputs
    assert outputs["repeatability"] == pytest.approx(0.20188, abs=1e-4)
    assert outputs["reproducibility"] == pytest.approx(0.22963, abs=1e-4)
    assert outputs["gauge"] == pytest.approx(0.30575, abs=1e-4)
    assert outputs["part_variation"] == pytest.approx(1.10456, abs=2e-4)
    assert outputs["grr_percent"] == pytest.approx(26.68, abs=0.01)
    assert outputs["ndc"] == 5


def test_analysis_of_variance_gives_the_published_study() -> None:
    outputs = gage_rr(READINGS, 10, 3, 3, 0, "anova").outputs
    assert outputs["repeatability"] == pytest.approx(0.199933, abs=1e-6)
    assert outputs["reproducibility"] == pytest.approx(0.226838, abs=1e-6)
    assert outputs["interaction"] == 0
    assert outputs["part_variation"] == pytest.approx(1.042327, abs=1e-6)
    assert outputs["grr_percent"] == pytest.approx(27.86, abs=0.005)
    assert outputs["ndc"] == 4


def test_components_of_a_known_gauge_with_interaction_come_back() -> None:
    random = np.random.default_rng(5)
    parts, people, pairs = random.normal(0, 5, 20), random.normal(0, 1.5, 20), random.normal(0, 2, (20, 20))
    values = [
        float(parts[part] + people[one] + pairs[part, one] + random.normal(0, 0.5))
        for part in range(20)
        for one in range(20)
        for _ in range(3)
    ]
    outputs = gage_rr(values, 20, 20, 3, 0, "anova").outputs
    assert outputs["repeatability"] == pytest.approx(0.5, rel=0.05)
    assert outputs["interaction"] == pytest.approx(2, rel=0.1)
    assert outputs["reproducibility"] == pytest.approx(float(people.std(ddof=1)), rel=0.15)
    assert outputs["part_variation"] == pytest.approx(float(parts.std(ddof=1)), rel=0.1)


def test_shares_of_variance_add_up_and_the_tolerance_is_six_deviations() -> None:
    answer = gage_rr(READINGS, 10, 3, 3, 8, "anova")
    outputs = answer.outputs
    assert math.hypot(outputs["gauge"], outputs["part_variation"]) == pytest.approx(
        outputs["total_variation"], abs=1e-5
    )
    assert outputs["tolerance_percent"] == pytest.approx(100 * 6 * outputs["gauge"] / 8, abs=1e-4)
    assert [row[0] for row in answer.tables[0]["rows"]] == ["anova", "average-range"]


@pytest.mark.parametrize("ratio", [0.05, 0.9, 2.5, 40.0])
@pytest.mark.parametrize("freedom", [(1, 3), (18, 60), (361, 400)])
def test_the_tail_of_f_agrees_with_scipy(ratio: float, freedom: tuple[int, int]) -> None:
    assert f_above(ratio, *freedom) == pytest.approx(stats.f.sf(ratio, *freedom), abs=1e-10)


@pytest.mark.parametrize("count", ONE_RANGE)
def test_factors_of_one_range_are_the_root_of_its_mean_square(count: int) -> None:
    # By the joint density of least and largest of so many normal values, on a grid.
    at = np.linspace(-8, 8, 1201)
    step, density, below = at[1] - at[0], stats.norm.pdf(at), stats.norm.cdf(at)
    between = np.clip(below[None, :] - below[:, None], 0, None)
    width = np.clip(at[None, :] - at[:, None], 0, None)
    joint = count * (count - 1) * between ** (count - 2) * density[None, :] * density[:, None]
    assert ONE_RANGE[count] == pytest.approx(math.sqrt(float((joint * width**2).sum()) * step**2), abs=3e-4)


@pytest.mark.parametrize(
    ("values", "shape", "tolerance"),
    [
        (READINGS[:89], (10, 3, 3), 0), (READINGS, (10, 3.5, 3), 0), (READINGS, (90, 1, 1), 0), (READINGS, (10, 3, 3), -1),
        ([float(part) for part in range(10) for _ in range(9)], (10, 3, 3), 0),
    ],
)  # fmt: skip
def test_a_study_that_cannot_be_judged_is_refused(
    values: list[float], shape: tuple[float, float, float], tolerance: float
) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        gage_rr(values, *shape, tolerance, "anova")


def test_kinds_are_ranked_and_cumulated() -> None:
    answer = pareto("少锡，偏移\n连锡、虚焊", [60, 30, 100, 10], [1])
    rows = answer.tables[0]["rows"]
    assert [row[1] for row in rows] == ["连锡", "少锡", "偏移", "虚焊"]
    assert [row[5] for row in rows] == [50, 80, 95, 100]
    assert answer.outputs["vital_kinds"] == 2


def test_loss_may_turn_the_order_round() -> None:
    answer = pareto("a,b", [100, 10], [1, 50])
    assert answer.tables[0]["rows"][0][1] == "b"
    assert answer.outputs["top_percent"] == pytest.approx(100 * 500 / 600, abs=1e-5)


def test_names_that_recur_are_added_up_and_other_comes_last() -> None:
    answer = pareto("其他,a,b,a", [50, 20, 30, 20], [1])
    assert [row[1] for row in answer.tables[0]["rows"]] == ["a", "b", "其他"]
    assert answer.outputs["other_percent"] == pytest.approx(100 * 50 / 120, abs=1e-5)
    assert "其他" in answer.notes[1]["zh"]


def test_kinds_that_are_alike_are_not_called_vital() -> None:
    assert "差不多大" in pareto("a,b,c,d,e", [20, 19, 21, 20, 20], [1]).notes[0]["zh"]


@pytest.mark.parametrize(
    ("names", "counts", "weights"),
    [
        ("a,b", [1.0], [1.0]),
        ("a", [1.0], [1.0]),
        ("a,b", [0.0, 0.0], [1.0]),
        ("a,b", [1.0, -1.0], [1.0]),
        ("a,b,c", [1.0] * 3, [1.0] * 2),
    ],
)
def test_a_list_that_cannot_be_ranked_is_refused(names: str, counts: list[float], weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        pareto(names, counts, weights)
