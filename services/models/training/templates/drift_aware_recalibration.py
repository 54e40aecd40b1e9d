"""A model that drifted, put right by an offset and a scale from the latest laboratory values, if that helps at all.

The model is learnt on the older rows (or is a column of an existing model's predictions) and then left alone. The later
rows come in windows: each is predicted with the correction that the windows before it suggest, so that no window is
corrected by itself. Which model with which correction is chosen on the first half of the windows; on the
second half it must beat both the best uncorrected model and the latest level.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from onnx import helper, load_model_from_string, numpy_helper

from services.models.errors import CannotTrain, DoesNotBeatNaive
from services.models.training.candidates import Candidate, candidates_for
from services.models.training.choose_model import Chosen
from services.models.training.comparing import difference, shortened
from services.models.training.learning_set import Floats, Ints, LearningSet, Said, distinct_in_single_precision
from services.models.training.naive_rules import Rule
from services.models.training.own_cards import Words
from services.models.training.own_columns import learning_set
from services.models.training.own_figures import figures_of
from services.models.training.own_package import onnx_content, package
from services.models.training.splits import Protocol, Split, blocks
from services.models.training.table import Roles, Table
from services.models.training.templates.failure_risk import in_order
from services.models.training.templates.template import Document, Progress, Template

OLD = 0.6
WINDOWS = 40
KINDS = (("offset", 1), ("offset", 3), ("offset and scale", 3))
"""What is corrected, and from how many windows before."""
FEWEST = 200
FEWEST_IN_WINDOW = 10
MOST_SCALE = 3.0


def run(table: Table, roles: Roles, progress: Progress) -> Document:
    data = in_order(learning_set(table, replace(roles, task="regression", group=None)), roles)
    if data.rows < FEWEST:
        raise CannotTrain(
            column="", reason_zh=f"只有 {data.rows} 行，至少需要 {FEWEST} 行。", reason_en=f"{data.rows} rows; {FEWEST} are needed at least."
        )  # fmt: skip
    data = replace(data, matrix=distinct_in_single_precision(data.matrix))
    old = np.arange(round(data.rows * OLD))
    later = np.arange(old.size, data.rows)
    windows = blocks(later.size, min(WINDOWS, later.size // FEWEST_IN_WINDOW))
    progress(0.2, "学习旧数据 / learning the old rows")
    models = [(candidate, candidate.make().fit(data.matrix[old], data.target[old])) for candidate in _plainest(data)]
    progress(0.6, "校正并检验 / correcting and testing")
    plains = [np.asarray(model.predict(data.matrix[later]), dtype=np.float64) for _, model in models]
    place, kind, back, uncorrected = _best(plains, data.target[later], windows)
    (candidate, model), plain = models[place], plains[place]
    said = corrected(kind, back, plain, data.target[later], windows)
    tested = windows >= (windows.max() + 1) // 2
    figures, protocol, rule = _test(data, old, later, plains[uncorrected], said, windows, tested, roles.coverage)
    figures |= {
        "correction": kind,
        "windows_back": back,
        "model": candidate.name,
        "tried": [{"model": each.name} for each, _ in models],
    }
    _refuse_unless_helps(figures, roles)
    latest = windows > windows.max() - back
    final = correction(kind, plain[latest], data.target[later[latest]])
    later_seen = later[windows > 0]
    chosen = Chosen(
        data, protocol, candidate, model, rule, figures, later_seen, said[windows > 0], tried=figures["tried"]
    )
    words = Words(TEMPLATE.id, TEMPLATE.title, [_section(final, kind, figures)], {})
    return package(chosen, table, roles, words, corrected_onnx(onnx_content(chosen), final))


@dataclass(frozen=True)
class Correction:
    offset: float
    scale: float = 1.0

    def applied(self, values: Floats) -> Floats:
        return self.offset + self.scale * values


def correction(kind: str, predicted: Floats, actual: Floats) -> Correction:
    """From labelled rows: the median error, or the least squares line through them within sane bounds."""
    if kind == "offset and scale" and predicted.std() > 0:
        scale = float(np.clip(np.cov(predicted, actual)[0, 1] / predicted.var(ddof=1), 0.0, MOST_SCALE))
        return Correction(float(np.median(actual - scale * predicted)), scale)
    return Correction(float(np.median(actual - predicted)))


def corrected(kind: str, back: int, predicted: Floats, actual: Floats, windows: Ints) -> Floats:
    """Each window by the correction of the `back` windows before it; the first one as it is."""
    said = predicted.copy()
    for number in range(1, int(windows.max()) + 1):
        before, now = (windows < number) & (windows >= number - back), windows == number
        said[now] = correction(kind, predicted[before], actual[before]).applied(predicted[now])
    return said


def _best(plains: list[Floats], actual: Floats, windows: Ints) -> tuple[int, str, int, int]:
    """On the first half of the windows: which model with which correction errs least, and which model errs least
    without any."""
    first = (windows > 0) & (windows < (windows.max() + 1) // 2)

    def error(values: Floats) -> float:
        return float(np.abs(values[first] - actual[first]).mean())

    tried = [
        (error(corrected(kind, back, plain, actual, windows)), place, kind, back)
        for place, plain in enumerate(plains)
        for kind, back in KINDS
    ]
    _, place, kind, back = min(tried)
    return place, kind, back, min(range(len(plains)), key=lambda each: error(plains[each]))


def _plainest(data: LearningSet) -> list[Candidate]:
    return list(candidates_for(data))[:4]


def _test(
    data: LearningSet, old: Ints, later: Ints, plain: Floats, said: Floats, windows: Ints, tested: Any, coverage: float
) -> tuple[dict[str, Any], Protocol, Rule]:
    """Figures of the tested windows, beside the uncorrected model and the level of the window before."""
    actual = data.target[later]
    level = np.concatenate(
        [
            np.full((windows == number).sum(), np.median(actual[windows == max(number - 1, 0)]))
            for number in np.unique(windows)
        ]
    )
    rules = {
        "plain": (Said("不校正的模型", "the uncorrected model"), plain),
        "level": (Said("总取上一段的中位数", "always the median of the window before"), level),
    }
    losses = {name: np.abs(values - actual)[tested] for name, (_, values) in rules.items()}
    best = min(losses, key=lambda name: float(losses[name].mean()))
    own = np.abs(said - actual)[tested]
    first = (windows > 0) & ~tested
    protocol_said = Said(
        f"按时间：前 {old.size} 行学习后不再改动；其后分 {int(windows.max()) + 1} 段，每段只用它以前的化验值校正；前半段选模型和校正方式，后半段检验。",
        f"In order of time: learnt on {old.size} rows and left alone; then {int(windows.max()) + 1} windows, each corrected by "
        "the windows before it; the first half chooses model and correction, the second half tests it.",
    )
    protocol = Protocol("time", Split(old, later[tested]), (Split(old, later[first]),), windows, protocol_said)
    rule_said, rule_values = rules[best]
    figures = figures_of(
        data,
        protocol,
        said[tested],
        rule_values[tested],
        (later[first], said[first]),
        coverage,
        [np.arange(int(first.sum()))],
    )
    found = {name: difference(own, values, windows[tested]) for name, values in losses.items()}
    figures |= {
        "difference": found[best].as_json(), "rule": rule_said.as_json(),
        "uncorrected": {"mae": shortened(float(losses["plain"].mean())), "difference": found["plain"].as_json()},
        "level": {"mae": shortened(float(losses["level"].mean())), "difference": found["level"].as_json()},
    }  # fmt: skip
    return figures, protocol, Rule(rule_said, lambda *_: rule_values)


def _refuse_unless_helps(figures: dict[str, Any], roles: Roles) -> None:
    if figures["uncorrected"]["difference"]["high"] < 0 and figures["level"]["difference"]["high"] < 0:
        return
    worse = max(("uncorrected", "level"), key=lambda name: float(figures[name]["difference"]["high"]))
    zh, en = {
        "uncorrected": ("不校正的模型", "the uncorrected model"), "level": ("总取上一段的中位数", "the median of the window before")
    }[worse]  # fmt: skip
    found = figures[worse]["difference"]
    raise DoesNotBeatNaive(
        metric="MAE", model=figures["mae"], naive=figures[worse]["mae"], rule_zh=zh, rule_en=en, low=found["low"],
        high=found["high"], rows=figures["rows_tested"], unit=roles.unit, figures=figures,
        advice_zh="偏移和比例校正没有用：要么模型没有漂移，要么输入与目标的关系本身变了，应用最近的数据重新训练。",
        advice_en="An offset and a scale do not help: either nothing drifted, or the relation itself changed and needs a model "
        "trained anew on recent data.",
    )  # fmt: skip


def corrected_onnx(content: bytes, final: Correction) -> bytes:
    """The regression with `offset + scale * value` after it."""
    model = load_model_from_string(content)
    graph = model.graph
    raw = graph.output[0]
    before = raw.name
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(final.scale, dtype=np.float32), "recalibration_scale"),
            numpy_helper.from_array(np.array(final.offset, dtype=np.float32), "recalibration_offset"),
        ]
    )
    graph.node.extend(
        [
            helper.make_node("Mul", [before, "recalibration_scale"], ["recalibration_scaled"]),
            helper.make_node("Add", ["recalibration_scaled", "recalibration_offset"], ["recalibrated"]),
        ]
    )
    raw.name = "recalibrated"
    found: bytes = model.SerializeToString()
    return found


def _section(final: Correction, kind: str, figures: dict[str, Any]) -> tuple[Said, Said]:
    plain = figures["uncorrected"]["mae"]
    scale_zh = f"乘以 {final.scale:.4g} 再加 {final.offset:.4g}" if kind != "offset" else f"加 {final.offset:.4g}"
    scale_en = f"times {final.scale:.4g} plus {final.offset:.4g}" if kind != "offset" else f"plus {final.offset:.4g}"
    return (
        Said("校正", "Correction"),
        Said(
            f"发布的校正来自最近一段：{scale_zh}。检验期不校正的平均绝对误差 {plain:g}，校正后 {figures['mae']:g}。有新的化验值时应重新校正，不要长期沿用。",
            f"The published correction is that of the latest windows: {scale_en}. Uncorrected MAE of the tested windows {plain:g}, "
            f"corrected {figures['mae']:g}. Correct again when new laboratory values come; do not keep it for long.",
        ),
    )


TEMPLATE = Template(
    id="drift_aware_recalibration",
    title=Said("漂移校正", "Recalibration for drift"),
    answers=Said("模型越来越偏，用最近的化验值校一下管不管用？", "The model is off by now: does correcting it with the latest laboratory values help?"),
    needs=(),
    protocol=Said(
        "按时间分段，每段只用它以前的几段校正；须同时胜过不校正的模型和上一段的中位数，否则拒绝。",
        "In windows of time, each corrected by those before; must beat both the uncorrected model and the level of the window "
        "before, or is refused.",
    ),
    publishes="package",
    run=run,
)  # fmt: skip
