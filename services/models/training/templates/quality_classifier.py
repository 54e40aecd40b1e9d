"""Good or bad, where bad is rare: calibrated probabilities, the threshold that costs least, precision at few alarms."""

from __future__ import annotations

from typing import Any

import numpy as np

from services.models.errors import CannotTrain
from services.models.training.choose_model import Chosen, choose
from services.models.training.learning_set import Floats, LearningSet, Said
from services.models.training.own_cards import Words
from services.models.training.own_columns import learning_set
from services.models.training.own_figures import positive_class
from services.models.training.own_package import package
from services.models.training.table import Roles, Table
from services.models.training.templates.template import Document, Progress, Template

COST_MISS, COST_ALARM = 10.0, 1.0
"""Assumed where nothing is given: a miss costs ten false alarms. The card says so."""
ALARM_SHARES = (0.01, 0.05, 0.1)


def run(table: Table, roles: Roles, progress: Progress) -> Document:
    data = learning_set(table, roles)
    if not data.classification:
        raise CannotTrain(
            column=roles.target, reason_zh="质量分类的目标应为类别，如 合格/不合格 或 0/1。",
            reason_en="a quality classifier wants classes, such as good/bad or 0/1.",
        )  # fmt: skip
    chosen = choose(data, progress=progress, budget_s=roles.budget_s, coverage=roles.coverage)
    return package(chosen, table, roles, words_of(chosen, roles, TEMPLATE))


def words_of(chosen: Chosen, roles: Roles, template: Template) -> Words:
    """The decision by costs and what it would have cost on unseen rows; several classes have no single decision."""
    data = chosen.data
    if len(data.classes) != 2:
        return Words(template.id, template.title)
    given = "cost_miss" in roles.options or "cost_alarm" in roles.options
    miss = float(roles.options.get("cost_miss", COST_MISS))
    alarm = float(roles.options.get("cost_alarm", COST_ALARM))
    if not (miss > 0 and alarm > 0):
        raise CannotTrain(
            column=roles.target, reason_zh="漏报和误报的代价应大于 0。", reason_en="costs must be above 0."
        )
    positive = positive_class(data)
    decision = {
        "positive": data.classes[positive], "threshold": round(alarm / (alarm + miss), 6), "cost_miss": miss,
        "cost_alarm": alarm, "unit": "元/次" if given else "1",
    }  # fmt: skip
    answers = chosen.calibration.applied(chosen.answers) if chosen.calibration else chosen.answers
    truth = data.target[chosen.unseen] == positive
    shown = at_work(answers[:, positive], truth, decision)
    chosen.figures["at_work"] = shown
    return Words(template.id, template.title, sections=[_section(data, decision, shown, given)], decision=decision)


def at_work(
    probability: Floats, truth: np.ndarray[Any, np.dtype[np.bool_]], decision: dict[str, Any]
) -> dict[str, Any]:
    """Per 1,000 rows: alarms, hits and cost by the threshold; cost of never and of always acting; precision at few alarms."""
    rows, miss, alarm = truth.size, decision["cost_miss"], decision["cost_alarm"]
    act = probability >= decision["threshold"]
    per = 1000 / rows
    order = np.argsort(-probability, kind="stable")
    shares = []
    for share in ALARM_SHARES:
        top = order[: max(1, round(share * rows))]
        shares.append(
            {"alarm_share": share, "precision": round(float(truth[top].mean()), 4),
             "recall": round(float(truth[top].sum() / max(truth.sum(), 1)), 4)}
        )  # fmt: skip
    return {
        "rows": int(rows), "positives": int(truth.sum()),
        "alarms_per_1000": round(per * int(act.sum()), 2), "hits_per_1000": round(per * int((act & truth).sum()), 2),
        "misses_per_1000": round(per * int((~act & truth).sum()), 2),
        "cost_per_1000": round(per * float(miss * (~act & truth).sum() + alarm * (act & ~truth).sum()), 2),
        "cost_never_acting": round(per * float(miss * truth.sum()), 2),
        "cost_always_acting": round(per * float(alarm * (~truth).sum()), 2),
        "at_fixed_alarms": shares,
    }  # fmt: skip


def _section(data: LearningSet, decision: dict[str, Any], shown: dict[str, Any], given: bool) -> tuple[Said, Said]:
    trivial = min(shown["cost_never_acting"], shown["cost_always_acting"])
    worth_zh = (
        ""
        if shown["cost_per_1000"] < trivial
        else "按这组代价，它不比一律不管或一律处理更省：请只作排序参考，不要据此自动处理。"
    )
    worth_en = "" if shown["cost_per_1000"] < trivial else (
        " At these costs it saves nothing over never or always acting: use it to rank, not to act."
    )  # fmt: skip
    assumed_zh = "" if given else "（代价没有给出，按漏报是误报的 10 倍假定，请按实际改）"
    assumed_en = "" if given else " (no costs were given: a miss is assumed to cost ten false alarms)"
    share = shown["at_fixed_alarms"][1]
    name = decision["positive"]
    return (
        Said("何时处理", "When to act"),
        Said(
            f"「{name}」的概率不低于 {decision['threshold']:.3g} 时处理，由漏报代价 {decision['cost_miss']:g} 与误报代价 "
            f"{decision['cost_alarm']:g} 得出{assumed_zh}。在没有见过的行上每 1000 件报警 {shown['alarms_per_1000']:g} 件，其中真的 "
            f"{shown['hits_per_1000']:g} 件，漏掉 {shown['misses_per_1000']:g} 件；代价 {shown['cost_per_1000']:g}，一律不管为 "
            f"{shown['cost_never_acting']:g}，一律处理为 {shown['cost_always_acting']:g}。{worth_zh}只看最可疑的 5 % 时，其中 "
            f"{share['precision']:.0%} 为真，找到全部的 {share['recall']:.0%}。",
            f"Act when the probability of “{name}” reaches {decision['threshold']:.3g}, from a miss costing "
            f"{decision['cost_miss']:g} and a false alarm {decision['cost_alarm']:g}{assumed_en}. On unseen rows, of 1,000: "
            f"{shown['alarms_per_1000']:g} alarms, {shown['hits_per_1000']:g} of them true, {shown['misses_per_1000']:g} missed; "
            f"cost {shown['cost_per_1000']:g}, against {shown['cost_never_acting']:g} never acting and "
            f"{shown['cost_always_acting']:g} always.{worth_en} Of the most suspicious 5 %, {share['precision']:.0%} are true, "
            f"which finds {share['recall']:.0%} of all.",
        ),
    )


TEMPLATE = Template(
    id="quality_classifier",
    title=Said("质量分类", "Quality classifier"),
    answers=Said("这一件会不会不合格，值不值得拦下复检？", "Will this piece be bad, and is it worth stopping?"),
    needs=(),
    protocol=Said(
        "按时间或批次划分；概率在没有见过的行上校准；阈值由漏报与误报的代价得出。",
        "Split by time or lot; probabilities calibrated on unseen rows; the threshold follows from the costs.",
    ),
    publishes="package",
    run=run,
    options=("cost_miss", "cost_alarm"),
)
