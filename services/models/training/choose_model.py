"""From a learning set to the model that is worth publishing, or to the word that none is.

Rules first, then models from the plainest, compared on the folds within a bound of time; the best is tested once on the
held-out rows, whose figures are the card's. It must beat the best rule there, and over all unseen rows (of the folds and
held out) by more than chance. What is published is fitted again on all rows.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from services.models.errors import CannotTrain, DoesNotBeatNaive
from services.models.training import calibration as calibrating
from services.models.training import naive_rules
from services.models.training.calibration import Calibration, brier
from services.models.training.candidates import Candidate, candidates_for
from services.models.training.comparing import SURE, Difference, difference, shortened
from services.models.training.learning_set import Floats, Ints, LearningSet, distinct_in_single_precision
from services.models.training.naive_rules import Rule
from services.models.training.own_figures import figures_of
from services.models.training.splits import Protocol, Split, protocol_of

Progress = Callable[[float, str], None]
PATIENCE = 2
WORTH = 0.005
"""A later, heavier model must lower the loss by this share to be taken."""
FEWEST_ROWS = 50
FEWEST_OF_A_CLASS = 10


@dataclass
class Chosen:
    """A model fitted on all rows, with what it showed on rows that it had not seen."""

    data: LearningSet
    protocol: Protocol
    candidate: Candidate
    model: Any
    rule: Rule
    figures: dict[str, Any]
    unseen: Ints
    """Rows that were predicted by a model that had not seen them: of the folds and held out, in order of time."""
    answers: Floats
    """Their predictions, (n,) or (n, classes), before calibration."""
    calibration: Calibration | None = None
    tried: list[dict[str, Any]] = field(default_factory=list)

    @property
    def held_out(self) -> Ints:
        return self.protocol.held_out.test


def choose(
    data: LearningSet,
    *,
    progress: Progress,
    budget_s: float = 120.0,
    coverage: float = 0.9,
    more_rules: Sequence[Rule] = (),
    candidates: Sequence[Candidate] = (),
) -> Chosen:
    """Raises `CannotTrain` for too few rows, `DoesNotBeatNaive` with the figures of both."""
    _enough(data)
    data = replace(data, matrix=distinct_in_single_precision(data.matrix))
    until = time.monotonic() + budget_s
    protocol = protocol_of(data)
    _testable(data, protocol)
    progress(0.05, "简单规则 / naive rules")
    rules = [*naive_rules.rules_for(data), *more_rules]
    candidate, tried, answers = _search(data, protocol, list(candidates) or list(candidates_for(data)), until, progress)
    progress(0.75, "检验 / testing on held-out rows")
    learn, test = protocol.held_out.learn, protocol.held_out.test
    seen_rows = np.concatenate([fold.test for fold in protocol.folds])
    calibration = _calibration(data, protocol, answers, seen_rows)
    tested = _predicted(data, candidate.make().fit(data.matrix[learn], data.target[learn]), test)
    said = calibration.applied(tested) if calibration else tested
    in_folds = _calibrated_in_folds(data, protocol, answers) if calibration else answers[seen_rows]
    held = _against_rules(data, protocol, rules, [protocol.held_out], test, said, SURE)
    unseen = _against_rules(
        data, protocol, rules, [*protocol.folds, protocol.held_out], np.concatenate([seen_rows, test]),
        np.concatenate([in_folds, said]), 1 - (1 - SURE) / len(tried),
    )  # fmt: skip
    rule = held.rule
    figures = figures_of(
        data, protocol, said, rule.answer(data, learn, test), (seen_rows, in_folds), coverage, _fold_places(protocol)
    )
    figures |= {
        "difference": held.found.as_json(), "difference_unseen": unseen.found.as_json(), "rule": rule.said.as_json(),
        "model": candidate.name, "tried": tried,
    }  # fmt: skip
    _refuse_unless_better(data, held, unseen, figures)
    progress(0.85, "用全部数据拟合 / fitting on all rows")
    model = candidate.make().fit(data.matrix, data.target)
    everywhere = np.concatenate([seen_rows, test])
    unseen_answers = np.concatenate([answers[seen_rows], tested])
    if calibration:
        calibration = calibrating.fitted(unseen_answers, data.target[everywhere])
    return Chosen(data, protocol, candidate, model, rule, figures, everywhere, unseen_answers, calibration, tried)


def loss(data: LearningSet, said: Floats, rows: Ints) -> Floats:
    """(n,) absolute error, or the Brier score of the probabilities."""
    if data.classification:
        return brier(said, data.target[rows])
    found: Floats = np.abs(said - data.target[rows])
    return found


def _enough(data: LearningSet) -> None:
    if data.rows < FEWEST_ROWS:
        raise CannotTrain(
            column="", reason_zh=f"可用的行只有 {data.rows}，至少需要 {FEWEST_ROWS} 行。",
            reason_en=f"Only {data.rows} usable rows; {FEWEST_ROWS} are needed at least.",
        )  # fmt: skip
    if not data.columns:
        raise CannotTrain(column="", reason_zh="没有可用的输入列。", reason_en="No input column can be used.")
    if data.classification:
        counts = np.bincount(data.target.astype(np.int64), minlength=len(data.classes))
        few = int(counts.argmin())
        if counts[few] < FEWEST_OF_A_CLASS:
            name = data.classes[few]
            raise CannotTrain(
                column=name, reason_zh=f"类别「{name}」只有 {counts[few]} 行，每类至少 {FEWEST_OF_A_CLASS} 行。",
                reason_en=f"class “{name}” has {counts[few]} rows; each needs {FEWEST_OF_A_CLASS} at least.",
            )  # fmt: skip
    elif float(data.target.std()) == 0:
        raise CannotTrain(column="", reason_zh="目标列是常数。", reason_en="The target is constant.")


def _testable(data: LearningSet, protocol: Protocol) -> None:
    """Both sides of every split must hold every class, else a score says nothing."""
    splits = [protocol.held_out, *protocol.folds]
    if len(splits) < 3 or any(min(each.learn.size, each.test.size) < 5 for each in splits):
        raise CannotTrain(
            column="", reason_zh="按时间或分组划分后，每份太少，无法检验。需要更多的时间或更多的组。",
            reason_en="Split by time or group the parts are too small to test on. More time or more groups are needed.",
        )  # fmt: skip
    if not data.classification:
        return
    everything = set(range(len(data.classes)))
    if any(set(data.target[each.learn].astype(int)) != everything for each in splits):
        raise CannotTrain(
            column="", reason_zh="有的类别只出现在一段时间或少数组里，划分后一边没有它，无法学习。",
            reason_en="Some class occurs in one stretch of time or few groups only: one side of a split lacks it.",
        )  # fmt: skip


def _search(
    data: LearningSet, protocol: Protocol, candidates: list[Candidate], until: float, progress: Progress
) -> tuple[Candidate, list[dict[str, Any]], Floats]:
    """The candidate with the least mean loss over the folds; the first two are always tried."""
    best: tuple[float, Candidate, Floats] | None = None
    tried: list[dict[str, Any]] = []
    without_gain = 0
    for number, candidate in enumerate(candidates):
        progress(0.1 + 0.6 * number / len(candidates), f"比较模型 / comparing: {candidate.name}")
        answers = _fold_answers(data, protocol.folds, candidate, until if number >= 2 else None)
        if answers is None:
            tried.append({"model": candidate.name, "loss": None, "said": "超出时间 / beyond the time allowed"})
            continue
        rows = np.concatenate([fold.test for fold in protocol.folds])
        mean = float(loss(data, answers[rows], rows).mean())
        tried.append({"model": candidate.name, "loss": shortened(mean)})
        if best is None or mean < best[0] * (1 - WORTH):
            best, without_gain = (mean, candidate, answers), 0
        else:
            without_gain += 1
        if without_gain >= PATIENCE and number >= 3:
            break
    assert best is not None
    return best[1], tried, best[2]


def _fold_answers(
    data: LearningSet, folds: Sequence[Split], candidate: Candidate, until: float | None
) -> Floats | None:
    """Answers on each fold's test rows (others stay NaN), or None when it would not be done by `until`."""
    shape = (data.rows, len(data.classes)) if data.classification else (data.rows,)
    found = np.full(shape, np.nan)
    work = [float(fold.learn.size) for fold in folds]
    started = time.monotonic()
    for number, fold in enumerate(folds):
        if until is not None:
            done = sum(work[:number])
            a_row = (time.monotonic() - started) / done if done else 0.0
            if time.monotonic() + a_row * sum(work[number:]) > until:
                return None
        model = candidate.make().fit(data.matrix[fold.learn], data.target[fold.learn])
        found[fold.test] = _predicted(data, model, fold.test)
    return found


def _predicted(data: LearningSet, model: Any, rows: Ints) -> Floats:
    if data.classification:
        return np.asarray(model.predict_proba(data.matrix[rows]), dtype=np.float64)
    return np.asarray(model.predict(data.matrix[rows]), dtype=np.float64)


def _calibration(data: LearningSet, protocol: Protocol, answers: Floats, rows: Ints) -> Calibration | None:
    if not data.classification:
        return None
    parts = _fold_places(protocol)
    if not calibrating.helps(answers[rows], data.target[rows], parts):
        return None
    return calibrating.fitted(answers[rows], data.target[rows])


def _fold_places(protocol: Protocol) -> list[Ints]:
    """Where each fold's rows stand among those of all folds."""
    ends = np.cumsum([0, *(fold.test.size for fold in protocol.folds)])
    return [np.arange(start, end) for start, end in itertools.pairwise(ends)]


def _calibrated_in_folds(data: LearningSet, protocol: Protocol, answers: Floats) -> Floats:
    """The folds' probabilities, each fold's calibrated by the other folds."""
    rows = np.concatenate([fold.test for fold in protocol.folds])
    parts = _fold_places(protocol)
    found = answers[rows].copy()
    for place, part in enumerate(parts):
        others = np.concatenate([each for number, each in enumerate(parts) if number != place])
        made = calibrating.fitted(answers[rows[others]], data.target[rows[others]])
        found[part] = made.applied(answers[rows[part]])
    return np.asarray(found, dtype=np.float64)


@dataclass(frozen=True)
class Against:
    """The model beside the best of the rules on the same unseen rows: it has to beat every one of them."""

    rule: Rule
    found: Difference


def _against_rules(
    data: LearningSet, protocol: Protocol, rules: Sequence[Rule], splits: Sequence[Split], rows: Ints, said: Floats,
    sure: float,
) -> Against:  # fmt: skip
    own = loss(data, said, rows)
    judged = [
        (np.concatenate([loss(data, rule.answer(data, each.learn, each.test), each.test) for each in splits]), rule)
        for rule in rules
    ]
    losses, best = min(judged, key=lambda one: float(one[0].mean()))
    return Against(best, difference(own, losses, protocol.units[rows], sure))


def _refuse_unless_better(data: LearningSet, held: Against, unseen: Against, figures: dict[str, Any]) -> None:
    """Better on the held-out rows, and over all rows that were predicted unseen better by more than chance, at a level
    that allows for the number of models tried on the folds."""
    if held.found.mean < 0 and unseen.found.better:
        return
    shown = unseen if held.found.mean < 0 else held
    raise DoesNotBeatNaive(
        metric="Brier" if data.classification else "MAE",
        model=shortened(shown.found.model),
        naive=shortened(shown.found.naive),
        rule_zh=shown.rule.said.zh,
        rule_en=shown.rule.said.en,
        low=shortened(shown.found.low),
        high=shortened(shown.found.high),
        rows=shown.found.rows,
        advice_zh="可用简单规则代替；再试之前，先补上真正影响结果、且事先已知的列，或积累更多、更长时间的数据。",
        advice_en="Use the simple rule; before trying again add columns that matter and are known beforehand, or more and "
        "longer data.",
        figures=figures,
    )
