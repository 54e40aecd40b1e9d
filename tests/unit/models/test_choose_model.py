"""What is chosen, how it is tested, and when nothing is: on small data whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.models.errors import CannotTrain, DoesNotBeatNaive
from services.models.training import calibration
from services.models.training.candidates import Candidate, candidates_for
from services.models.training.choose_model import Chosen, choose
from services.models.training.comparing import difference
from services.models.training.export import onnx_of
from services.models.training.learning_set import Column, LearningSet, distinct_in_single_precision
from services.models.training.own_intervals import offsets, widening
from services.models.training.splits import neighbours_alike, protocol_of

SEEDS = (0, 1, 2)


def made(matrix: NDArray[Any], target: NDArray[Any], **more: Any) -> LearningSet:
    columns = tuple(Column(f"c{place}") for place in range(matrix.shape[1]))
    return LearningSet(columns, matrix.astype(np.float32), np.asarray(target, dtype=np.float64), **more)


def chosen(data: LearningSet) -> Chosen:
    return choose(data, progress=lambda fraction, message: None, budget_s=60, candidates=light(data))


def light(data: LearningSet) -> list[Candidate]:
    """The usual candidates with fewer trees: what is shown here does not hang on their number."""
    found = []
    for each in list(candidates_for(data))[:4]:
        fewer = {
            name: 30 for name in ("max_iter", "n_estimators") if name in each.parameters and "C" not in each.parameters
        }

        def make(each: Candidate = each, fewer: dict[str, int] = fewer) -> Any:
            model = each.make()
            return model.set_params(**{f"model__{name}": value for name, value in fewer.items()})

        found.append(Candidate(each.name, make, each.parameters))
    return found


def noise(seed: int, rows: int = 400) -> tuple[np.random.Generator, NDArray[Any]]:
    random = np.random.default_rng(seed)
    return random, random.normal(size=(rows, 4))


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_is_refused_with_both_figures(seed: int) -> None:
    random, matrix = noise(seed)
    with pytest.raises(DoesNotBeatNaive) as refused:
        chosen(made(matrix, random.normal(size=400)))
    assert refused.value.high > 0
    assert refused.value.naive > 0 and refused.value.rule_zh and refused.value.rule_en
    # Of the held-out fifth, or of all rows that were predicted unseen.
    assert refused.value.rows in (80, 400)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shuffled_target_is_refused_and_the_same_target_in_its_place_is_learnt(seed: int) -> None:
    random, matrix = noise(seed)
    failed = (matrix[:, 0] + 0.5 * random.normal(size=400) > 1.0).astype(float)
    learnt = chosen(made(matrix, failed, classes=("good", "bad")))
    assert learnt.figures["brier"] < learnt.figures["naive"]["brier"]
    with pytest.raises(DoesNotBeatNaive):
        chosen(made(matrix, random.permutation(failed), classes=("good", "bad")))


def test_a_relation_is_found_and_its_band_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    matrix = random.normal(size=(1500, 4))
    found = chosen(made(matrix, 3 * matrix[:, 0] - matrix[:, 1] + random.normal(size=1500)))
    assert found.candidate.name == "Ridge"
    # The mean absolute value of a standard normal is 0.798: no model can do better.
    assert found.figures["mae"] == pytest.approx(0.798, abs=0.08)
    assert 0.86 <= found.figures["interval_coverage"] <= 0.94
    assert found.figures["difference"]["high"] < 0


def test_with_a_time_nothing_is_learnt_from_later_than_it_is_tested_on() -> None:
    random, matrix = noise(1, 600)
    stamps = np.sort(random.integers(0, 150, size=600)).astype(float)
    protocol = protocol_of(made(matrix, matrix[:, 0], when=stamps))
    assert protocol.kind == "time"
    for split in (protocol.held_out, *protocol.folds):
        assert stamps[split.learn].max() < stamps[split.test].min()
    assert protocol.held_out.test.size == pytest.approx(120, abs=10)


def test_rows_whose_features_reach_back_are_kept_apart_by_a_gap() -> None:
    _, matrix = noise(2, 500)
    protocol = protocol_of(made(matrix, matrix[:, 0], when=np.arange(500.0), gap=16))
    for split in (protocol.held_out, *protocol.folds):
        assert split.test.min() - split.learn.max() > 16


def test_a_group_is_on_one_side_only() -> None:
    _, matrix = noise(3, 600)
    groups = np.repeat(np.arange(60), 10)
    protocol = protocol_of(made(matrix, matrix[:, 0], groups=groups))
    assert protocol.kind == "group"
    for split in (protocol.held_out, *protocol.folds):
        assert not set(groups[split.learn]) & set(groups[split.test])


def test_identical_rows_are_on_one_side_only() -> None:
    random, matrix = noise(4, 300)
    twice = np.concatenate([matrix, matrix])[random.permutation(600)]
    protocol = protocol_of(made(twice, random.normal(size=600)))
    assert protocol.kind == "random"
    tested = {tuple(row) for row in twice[protocol.held_out.test]}
    assert not tested & {tuple(row) for row in twice[protocol.held_out.learn]}


@pytest.mark.parametrize("seed", SEEDS)
def test_neighbours_of_one_coil_do_not_flatter_a_file_without_a_group(seed: int) -> None:
    # Plates of one coil share their target and nearly their features, which say nothing about the next coil's.
    random = np.random.default_rng(seed)
    coil = np.repeat(np.arange(80), 10)
    matrix = random.normal(size=(80, 4))[coil] + 0.01 * random.normal(size=(800, 4))
    target = random.normal(size=80)[coil]
    data = made(matrix, target)
    assert protocol_of(data).kind == "blocks"
    with pytest.raises(DoesNotBeatNaive):
        chosen(data)


def test_a_file_sorted_by_class_neither_flatters_nor_lacks_a_class() -> None:
    random, matrix = noise(6)
    failed = np.sort(random.integers(0, 2, size=400)).astype(float)
    data = made(matrix, failed, classes=("good", "bad"))
    protocol = protocol_of(data)
    assert protocol.kind == "blocks"
    assert set(failed[protocol.held_out.test]) == {0.0, 1.0}
    with pytest.raises(DoesNotBeatNaive):
        chosen(data)


def test_rows_in_no_order_are_not_taken_for_a_series() -> None:
    alike = [neighbours_alike(np.random.default_rng(seed).normal(size=500), False) for seed in range(50)]
    assert not any(alike)
    assert neighbours_alike(np.cumsum(np.random.default_rng(0).normal(size=500)), False)


def test_a_level_that_drifts_is_not_sold_as_knowledge() -> None:
    random, matrix = noise(7, 600)
    target = 0.02 * np.arange(600) + 0.2 * random.normal(size=600)
    with pytest.raises(DoesNotBeatNaive) as refused:
        chosen(made(matrix, target, when=np.arange(600.0)))
    assert refused.value.rule_en in ("always the last value", "always the median of the latest part")


def test_a_plan_that_is_kept_is_the_rule_to_beat() -> None:
    random, matrix = noise(8)
    plan = matrix[:, 0]
    with pytest.raises(DoesNotBeatNaive) as refused:
        chosen(made(matrix, plan + 0.3 * random.normal(size=400)))
    assert "c0" in refused.value.rule_en


def test_two_models_are_compared_even_when_no_time_is_allowed() -> None:
    random, matrix = noise(9)
    found = choose(
        made(matrix, 2 * matrix[:, 0] + random.normal(size=400)), progress=lambda fraction, message: None, budget_s=0
    )
    assert [each["loss"] is None for each in found.tried[:3]] == [False, False, True]


@pytest.mark.parametrize(
    ("rows", "more", "word"),
    [(20, {}, "rows"), (400, {"classes": ("a", "b")}, "rows")],
)
def test_too_little_is_said_with_what_would_be_enough(rows: int, more: dict[str, Any], word: str) -> None:
    _, matrix = noise(0, rows)
    target = np.zeros(rows)
    target[:3] = 1
    with pytest.raises(CannotTrain) as refused:
        chosen(made(matrix, target, **more))
    assert word in refused.value.reason_en and str(min(rows, 3 if more else rows)) in refused.value.reason_en


def test_one_lot_alone_proves_nothing() -> None:
    better, worse = np.zeros(100), np.ones(100)
    assert difference(better, worse, np.arange(100)).better
    assert not difference(better, worse, np.zeros(100, dtype=np.int64)).better


def test_calibrated_probabilities_are_the_same_in_onnx() -> None:
    from sklearn.ensemble import ExtraTreesClassifier

    random, matrix = noise(10, 600)
    matrix = distinct_in_single_precision(matrix.astype(np.float32))
    for classes in (2, 3):
        target = np.digitize(matrix[:, 0] + random.normal(size=600), [0.0, 1.0][: classes - 1]).astype(float)
        model = ExtraTreesClassifier(20, min_samples_leaf=5, random_state=0).fit(matrix[:300], target[:300])
        unseen = np.asarray(model.predict_proba(matrix[300:]))
        made_of = calibration.fitted(unseen, target[300:])
        content = calibration.appended(onnx_of(model, 4, matrix, 0.001), made_of)
        answers = calibration.probabilities_of(content, matrix[300:])
        assert np.abs(answers - made_of.applied(unseen)).max() < 0.001
        assert np.allclose(answers.sum(axis=1), 1, atol=1e-5)


def test_calibration_mends_probabilities_that_boast() -> None:
    random = np.random.default_rng(11)
    truth = random.uniform(0.1, 0.9, size=2000)
    target = (random.uniform(size=2000) < truth).astype(float)
    odds = (truth / (1 - truth)) ** 3
    boasting = np.column_stack([1 / (1 + odds), odds / (1 + odds)])
    parts = np.array_split(np.arange(2000), 4)
    assert calibration.helps(boasting, target, parts)
    mended = calibration.fitted(boasting, target).applied(boasting)
    assert np.abs(mended[:, 1] - truth).mean() < 0.03


def test_bands_of_a_calm_past_are_widened_for_a_rougher_future() -> None:
    random = np.random.default_rng(12)
    calm = [random.normal(size=200) for _ in range(4)]
    assert widening(calm, 0.9) <= 1.1
    rougher = [random.normal(size=200) * (1 + 0.5 * place) for place in range(4)]
    low, high = offsets(np.concatenate(rougher[:3]), 0.9)
    factor = widening(rougher, 0.9)
    assert factor > 1.1
    assert ((rougher[3] >= low * factor) & (rougher[3] <= high * factor)).mean() > 0.85
