"""Is the machine as usual: the distance of its signals from their usual joint pattern, alarmed so rarely as was asked.

Robust Mahalanobis distance (shrunken covariance of Ledoit and Wolf, refitted without the farthest twentieth). The limit
is the quantile on later rows that was agreed as false alarms; the last rows only test it. It must find relations that
broke (one signal of a row taken from another row) better than a limit on each signal alone, or known incidents where a
column marks them.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

from services.models.errors import CannotTrain, DoesNotBeatNaive
from services.models.training.comparing import Difference, difference, shortened
from services.models.training.conformal import quantile
from services.models.training.distance_onnx import distance_onnx
from services.models.training.learning_set import Floats, LearningSet, Said, distinct_in_single_precision
from services.models.training.model_card import card
from services.models.training.own_columns import learning_set, rows_with, usable
from services.models.training.own_package import CODE_VERSION, VERSION, feature, feature_names, finished, table_hash
from services.models.training.report import KIND, Report, figure, series
from services.models.training.splits import blocks
from services.models.training.table import Roles, Table
from services.models.training.templates.template import Document, Progress, Template

LEARNT, LIMITED = 0.6, 0.8
"""Up to which share of the rows it learns, and then sets its limit; the rest is the test."""
BUDGET = 0.01
FARTHEST = 0.05
TOO_OFTEN = 3.0
"""A false-alarm rate surely above so many times the budget means that the machine's usual state moves."""
FEWEST = 200
STRETCHES = 20
SEED = 11


def run(table: Table, roles: Roles, progress: Progress) -> Document:
    data, incident = _signals(table, roles)
    budget = float(roles.options.get("false_alarms", BUDGET))
    if not 0.0005 <= budget <= 0.2:
        raise CannotTrain(
            column="", reason_zh=f"误报预算 {budget:g} 应在 0.0005 到 0.2 之间。", reason_en=f"a false-alarm budget of {budget:g} is not within 0.0005 to 0.2."
        )  # fmt: skip
    matrix = data.matrix.astype(np.float64)
    usual = ~incident
    learn, limit, test = _parts(data.rows)
    progress(0.3, "学习常态 / learning the usual state")
    pattern = fitted(matrix[learn][usual[learn]])
    own_limit = quantile(pattern.distance(matrix[limit][usual[limit]]), 1 - budget)
    box = boxed(matrix[learn][usual[learn]], matrix[limit][usual[limit]], budget)
    progress(0.6, "检验误报与检出 / testing alarms and finds")
    own, simple = pattern.distance(matrix[test]) > own_limit, box(matrix[test]) > 1
    alarms = difference(
        own[usual[test]].astype(float),
        np.full(int(usual[test].sum()), budget),
        blocks(int(usual[test].sum()), STRETCHES),
    )
    figures = _figures(data, pattern, own_limit, box, own, simple, incident, test, budget)
    figures["false_alarm_difference"] = alarms.as_json()
    if alarms.low > (TOO_OFTEN - 1) * budget:
        return dict(_moves(table, roles, data, own, test, figures, budget, alarms))
    _refuse_unless_better(figures)
    return _package(table, roles, data, pattern, own_limit, figures, budget)


@dataclass(frozen=True)
class Pattern:
    centre: Floats
    precision: Floats

    def distance(self, matrix: Floats) -> Floats:
        """(n,) Mahalanobis distance; a missing signal counts as usual."""
        off = np.nan_to_num(matrix - self.centre)
        found: Floats = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", off, self.precision, off), 0))
        return found


def fitted(matrix: Floats) -> Pattern:
    centre, spread = np.nanmedian(matrix, axis=0), np.nanstd(matrix, axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = np.nan_to_num((matrix - centre) / spread)
    first = LedoitWolf().fit(scaled)
    away = first.mahalanobis(scaled)
    second = LedoitWolf().fit(scaled[away <= np.quantile(away, 1 - FARTHEST)])
    return Pattern(centre + spread * second.location_, second.precision_ / np.outer(spread, spread))


def boxed(learnt: Floats, limited: Floats, budget: float) -> Any:
    """The simple rule: each signal within its own limits, which together alarm as often as the budget. Above 1: outside."""
    middle, spread = np.nanmedian(learnt, axis=0), np.nanstd(learnt, axis=0)
    spread = np.where(spread > 0, spread, 1.0)

    def farthest(matrix: Floats) -> Floats:
        found: Floats = np.nan_to_num(np.abs(matrix - middle) / spread).max(axis=1)
        return found

    most = quantile(farthest(limited), 1 - budget)
    return lambda matrix: farthest(matrix) / most


def _signals(table: Table, roles: Roles) -> tuple[LearningSet, NDArray[np.bool_]]:
    """Numbers only, in order of time, and which rows are known incidents (the rarer of a target's two values)."""
    marks: NDArray[np.bool_] | None = None
    values = table.columns.get(roles.target, [])
    distinct = {value for value in values if value is not None}
    notes: list[Said] = []
    names = [name for name in usable(table, roles, notes) if table.kinds[name] == "number"]
    if len(distinct) != 2 and table.kinds.get(roles.target) == "number" and roles.target not in names:
        names.append(roles.target)
    # With a target of two values rows are read by it, else by the first signal: nothing is predicted here.
    read = (
        replace(roles, group=None, task="classification")
        if len(distinct) == 2
        else replace(roles, group=None, task="regression")
    )
    if len(distinct) != 2 and not rows_with(table, roles.target):
        raise CannotTrain(column=roles.target, reason_zh="该列没有值。", reason_en="holds no value.")
    data = learning_set(table, read, names)
    if len(distinct) == 2:
        marks = data.target == int(np.bincount(data.target.astype(np.int64), minlength=2).argmin())
    if len(data.columns) < 2 or data.rows < FEWEST:
        raise CannotTrain(
            column="", reason_zh=f"至少需要 2 个数值信号和 {FEWEST} 行，现有 {len(data.columns)} 个、{data.rows} 行。",
            reason_en=f"2 numeric signals and {FEWEST} rows are needed at least, there are {len(data.columns)} and {data.rows}.",
        )  # fmt: skip
    data = replace(data, matrix=distinct_in_single_precision(data.matrix), notes=(*data.notes, *notes))
    return data, np.zeros(data.rows, dtype=bool) if marks is None else marks


def _parts(rows: int) -> tuple[slice, slice, slice]:
    first, second = round(rows * LEARNT), round(rows * LIMITED)
    return slice(0, first), slice(first, second), slice(second, rows)


def broken(matrix: Floats) -> Floats:
    """Each row with one of its signals taken from another row: every value is usual, their relation is not."""
    random = np.random.default_rng(SEED)
    found = matrix.copy()
    rows = np.arange(len(matrix))
    columns = random.integers(0, matrix.shape[1], size=len(matrix))
    found[rows, columns] = matrix[random.permutation(len(matrix)), columns]
    return found


def _figures(
    data: LearningSet, pattern: Pattern, limit: float, box: Any, own: NDArray[np.bool_], simple: NDArray[np.bool_],
    incident: NDArray[np.bool_], test: slice, budget: float,
) -> dict[str, Any]:  # fmt: skip
    usual, marked = ~incident[test], incident[test]
    if marked.sum() >= 5:
        kind, missed, simply_missed = "incidents", ~own[marked], ~simple[marked]
        units = np.arange(int(marked.sum()))
    else:
        changed = broken(data.matrix[test].astype(np.float64))
        kind, missed, simply_missed = "broken relations", pattern.distance(changed) <= limit, box(changed) <= 1
        units = blocks(len(changed), STRETCHES)
    found = difference(missed.astype(float), simply_missed.astype(float), units)
    return {
        "tested_on": kind, "missed_share": shortened(float(missed.mean())), "false_alarm_share": shortened(float(own[usual].mean())),
        "false_alarm_budget": budget, "rows": data.rows, "rows_tested": int(own.size), "protocol": "time",
        "naive": {"missed_share": shortened(float(simply_missed.mean())), "false_alarm_share": shortened(float(simple[usual].mean()))},
        "rule": {"zh": "每个信号各自的上下限", "en": "limits on each signal alone"}, "difference": found.as_json(),
    }  # fmt: skip


def _refuse_unless_better(figures: dict[str, Any]) -> None:
    if figures["difference"]["high"] < 0:
        return
    rule = figures["rule"]
    raise DoesNotBeatNaive(
        metric="missed share", model=figures["missed_share"], naive=figures["naive"]["missed_share"], rule_zh=rule["zh"],
        rule_en=rule["en"], low=figures["difference"]["low"], high=figures["difference"]["high"], rows=figures["rows_tested"],
        advice_zh="各信号之间没有稳定的关系可用，逐个设上下限即可。", advice_en="The signals hold no steady relation: limits on each are enough.",
        figures=figures,
    )  # fmt: skip


def _moves(
    table: Table, roles: Roles, data: LearningSet, own: NDArray[np.bool_], test: slice, figures: dict[str, Any],
    budget: float, alarms: Difference,
) -> Report:  # fmt: skip
    share = figures["false_alarm_share"]
    part = blocks(own.size, 60)
    course = [100 * float(own[part == number].mean()) for number in np.unique(part)]
    places = [f"{round(100 * (number + 1) / len(course))} %" for number in range(len(course))]
    return {
        "kind": KIND, "template": TEMPLATE.id, "title": {"zh": roles.title, "en": roles.title}, "shown": False,
        "verdict": {
            "zh": f"不发布：常态本身在变。预算是每 100 行误报 {100 * budget:g} 次，最近的行上是 {100 * share:.1f} 次，会被当成“狼来了”。请按季节或换修后分段，只用最近的数据再试，或改用带漂移校正的模板。",
            "en": f"Not published: the usual state itself moves. The budget is {100 * budget:g} false alarms in 100 rows; the latest rows give {100 * share:.1f}. Split by season or overhaul, use recent data only, or recalibrate for drift.",
        },
        "figures": [
            figure("false_alarm_percent", Said("最近行的误报率", "False alarms on the latest rows"), 100 * share, "%", (100 * (budget + alarms.low), 100 * (budget + alarms.high))),
            figure("budget_percent", Said("误报预算", "Budget"), 100 * budget, "%"),
            figure("missed_percent", Said("漏检率", "Missed"), 100 * figures["missed_share"], "%"),
            figure("naive_missed_percent", Said("逐个上下限的漏检率", "Missed by limits on each"), 100 * figures["naive"]["missed_share"], "%"),
        ],
        "series": [series("alarms", Said("检验期报警率的走势", "Alarms over the tested part"), "%", places, course)],
        "notes": [each.as_json() for each in data.notes],
        "lineage": {
            "data": {"sha256": table_hash(table), "rows": table.rows, "rows_used": data.rows},
            "protocol": TEMPLATE.protocol.zh + " / " + TEMPLATE.protocol.en,
            "parameters": {"template": TEMPLATE.id, "code": CODE_VERSION}, "metrics": figures,
        },
    }  # fmt: skip


def _package(
    table: Table,
    roles: Roles,
    data: LearningSet,
    pattern: Pattern,
    limit: float,
    figures: dict[str, Any],
    budget: float,
) -> Document:
    names = feature_names(data.columns)
    matrix = data.matrix.astype(np.float64)
    inputs = [
        feature(name, column, matrix[:, place])
        for place, (name, column) in enumerate(zip(names, data.columns, strict=True))
    ]
    content = distance_onnx(pattern.centre, pattern.precision, limit)
    zh, en = _cards(roles, data, figures, budget)
    document = {
        "version": VERSION,
        "signature": {
            "task": "regression", "inputs": inputs, "classes": [],
            "outputs": [{"name": "score", "title_zh": "异常程度（超过 1 报警）", "title_en": "How unusual (alarm above 1)", "unit": ""}],
        },
        "intervals": None,
        "lineage": {
            "data": {"sha256": table_hash(table), "rows": table.rows, "rows_used": data.rows},
            "protocol": TEMPLATE.protocol.zh + " / " + TEMPLATE.protocol.en,
            "parameters": {"template": TEMPLATE.id, "code": CODE_VERSION, "columns": dict(zip(names, (c.title for c in data.columns), strict=True)), "recipe": {}},
            "metrics": figures,
        },
        "card": {"zh": zh, "en": en},
        "model": base64.b64encode(content).decode("ascii"),
    }  # fmt: skip
    *_, test = _parts(data.rows)
    rows = np.arange(data.rows)[test]
    usual = np.nan_to_num(np.nanmedian(matrix, axis=0))
    order = rows[np.argsort(pattern.distance(matrix[rows]), kind="stable")]
    requests = []
    for place, share in enumerate((0.1, 0.6, 1.0), start=1):
        row = matrix[order[round(share * (order.size - 1))]]
        values = np.where(np.isnan(row), usual, row)
        instance = {name: float(f"{value:.7g}") for name, value in zip(names, values, strict=True)}
        title = {"zh": f"检验行 {place}", "en": f"Held-out row {place}"}
        requests.append({"name": f"held-out-{place}", "title": title, "request": {"instances": [instance]}})
    return finished(document, roles.name, requests, np.where(np.isnan(matrix), usual, matrix))


def _cards(roles: Roles, data: LearningSet, figures: dict[str, Any], budget: float) -> tuple[str, str]:
    naive = figures["naive"]
    kind_zh = (
        "已知的异常"
        if figures["tested_on"] == "incidents"
        else "人为打乱关系的行（一个信号换成别的行的值，每个值都正常，关系不对）"
    )
    notes_zh, notes_en = "\n".join(each.zh for each in data.notes), "\n".join(each.en for each in data.notes)
    zh = card(f"{roles.title} {roles.name}", [
        ("用途", f"{len(data.columns)} 个信号的关系是否如常。答案超过 1 报警；约每 {round(1 / budget)} 行容许一次误报。"),
        ("不能用于", "判断故障的原因和部位、还能用多久，或代替安全联锁。只知道“不像平时”。"),
        ("数据", f"企业自己的数据，用了 {data.rows} 行。\n{notes_zh}".strip()),
        ("做法与检验", f"按时间：前 60 % 学习，其后 20 % 定报警线，最后 {figures['rows_tested']} 行只用来检验。误报率 {figures['false_alarm_share']:.2%}（预算 {budget:.2%}）。检出用{kind_zh}：漏检 {figures['missed_share']:.1%}，逐个设上下限漏检 {naive['missed_share']:.1%}（误报 {naive['false_alarm_share']:.2%}）。"),
        ("限制", "换设备、换料、检修后常态会变，要重新学习。报警多起来先看工况是否变了。"),
    ])  # fmt: skip
    tested = "known incidents" if figures["tested_on"] == "incidents" else "rows with one signal taken from another row"
    en = card(f"{roles.title} {roles.name}", [
        ("Use", f"Whether the relations of {len(data.columns)} signals are as usual. Above 1 is an alarm; about one false alarm in {round(1 / budget)} rows is accepted."),
        ("Not for", "The cause or place of a fault, remaining life, or interlocks. It only knows “not as usual”."),
        ("Data", f"Own data, {data.rows} rows used.\n{notes_en}".strip()),
        ("Protocol", f"In order of time: 60 % learnt, 20 % set the limit, the last {figures['rows_tested']} rows only test. False alarms {figures['false_alarm_share']:.2%} (budget {budget:.2%}). On {tested} it misses {figures['missed_share']:.1%}, limits on each signal miss {naive['missed_share']:.1%} (false alarms {naive['false_alarm_share']:.2%})."),
        ("Limits", "After a change of machine, material or an overhaul the usual state moves: learn anew."),
    ])  # fmt: skip
    return zh, en


TEMPLATE = Template(
    id="anomaly_watch",
    title=Said("异常监视", "Anomaly watch"),
    answers=Said("设备现在像不像平时，要不要去看一眼？", "Is the machine as usual, or should somebody look?"),
    needs=(),
    protocol=Said(
        "按时间：学习、定线、检验三段；误报不超过预算；须比逐个信号设上下限漏得少。目标列可用来标出已知的异常。",
        "In order of time: learn, set the limit, test; false alarms within the budget; must miss less than limits on each "
        "signal. The target column may mark known incidents.",
    ),
    publishes="package",
    run=run,
    options=("false_alarms",),
)
