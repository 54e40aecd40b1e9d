"""The card of a model trained on a firm's own data, in the sections that every card here has, in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.models.training.choose_model import Chosen
from services.models.training.learning_set import Said
from services.models.training.model_card import card, table
from services.models.training.table import Roles

FIGURES = (
    ("mae", "平均绝对误差", "Mean absolute error"),
    ("rmse", "均方根误差", "Root mean square error"),
    ("wape_percent", "加权百分误差 %", "Weighted percentage error %"),
    ("r2", "R2", "R2"),
    ("brier", "Brier 分（概率误差）", "Brier score"),
    ("average_precision", "平均精度（少的一类）", "Average precision (rarer class)"),
    ("accuracy", "准确率", "Accuracy"),
    ("macro_f1", "宏平均 F1", "Macro F1"),
)
TOO_GOOD = 0.995


@dataclass(frozen=True)
class Words:
    """What a template adds to its package."""

    template: str
    title: Said
    sections: Sequence[tuple[Said, Said]] = ()
    """Heading and text of further sections of the card."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """How each input is computed from the file's columns, for predicting whole files."""
    decision: Mapping[str, Any] | None = None
    output: Said | None = None
    unit: str | None = None


def cards(chosen: Chosen, roles: Roles, words: Words, names: Sequence[str]) -> tuple[str, str]:
    """Chinese and English."""
    return tuple(  # type: ignore[return-value]
        card(
            f"{roles.title} {roles.name}",
            [(_of(heading, language), _of(text, language)) for heading, text in _sections(chosen, roles, words, names)],
        )
        for language in ("zh", "en")
    )


def _of(said: Said, language: str) -> str:
    return said.zh if language == "zh" else said.en


def _sections(chosen: Chosen, roles: Roles, words: Words, names: Sequence[str]) -> Iterator[tuple[Said, Said]]:
    data, figures = chosen.data, chosen.figures
    unit = f"（{roles.unit}）" if roles.unit else ""
    yield (
        Said("用途", "Use"),
        Said(
            f"由 {len(names)} 个输入预测「{roles.target}」{unit}。模板：{words.title.zh}。",
            f"Predicts “{roles.target}” from {len(names)} inputs. Template: {words.title.en}.",
        ),
    )
    yield (
        Said("不能用于", "Not for"),
        Said(
            "别的设备、产品或工厂，以及训练数据没有出现过的工况。不能替代安全联锁和法定检验。相关不等于因果：改动输入不保证结果随之改变。",
            "Other machines, products or plants, and conditions that the data do not hold. No substitute for interlocks or "
            "statutory tests. Correlation is not cause: changing an input need not change the result.",
        ),
    )
    yield Said("数据", "Data"), _data(data.facts, data.rows, data.notes)
    yield Said("做法与检验", "Protocol"), _protocol(chosen)
    yield Said("区间", "Intervals"), _intervals(figures, roles.coverage)
    yield from words.sections
    derived = [(name, column) for name, column in zip(names, data.columns, strict=True) if column.meaning.zh]
    if derived:
        lines = [
            (f"- {column.title}：{column.meaning.zh}", f"- {column.title}: {column.meaning.en}")
            for _, column in derived
        ]
        yield (
            Said("怎样取得输入", "How to get the inputs"),
            Said("\n".join(zh for zh, _ in lines), "\n".join(en for _, en in lines)),
        )
    yield Said("限制", "Limits"), _limits(chosen)


def _data(facts: Mapping[str, Any], rows: int, notes: Sequence[Said]) -> Said:
    zh = [f"企业自己的数据，文件 {facts.get('rows_in_file', rows)} 行，用了 {rows} 行。", *(each.zh for each in notes)]
    en = [f"Own data, {facts.get('rows_in_file', rows)} rows in the file, {rows} used.", *(each.en for each in notes)]
    return Said("\n".join(zh), "\n".join(en))


def _protocol(chosen: Chosen) -> Said:
    figures, rule = chosen.figures, chosen.rule.said
    naive, found = figures["naive"], figures["difference"]
    rows = [(zh, en, figures[key], naive.get(key, "")) for key, zh, en in FIGURES if key in figures]
    shown_zh = table(("指标", "本模型", rule.zh), [(zh, own, other) for zh, _, own, other in rows])
    shown_en = table(("Figure", "This model", rule.en), [(en, own, other) for _, en, own, other in rows])
    loss_zh, loss_en = (
        ("Brier 分", "Brier score") if chosen.data.classification else ("平均绝对误差", "mean absolute error")
    )
    unseen_zh, unseen_en = _over_unseen(figures)
    return Said(
        f"{chosen.protocol.said.zh} 比较了 {len(figures['tried'])} 种模型，选中 {chosen.candidate.name}。下表是 {figures['rows_tested']} "
        f"行检验数据上的成绩，选择时没有用过；发布的模型再用全部数据拟合。\n\n{shown_zh}\n\n{loss_zh}与最好的简单规则之差为 "
        f"{found['mean']:g}，95 % 区间 {found['low']:g} 到 {found['high']:g}（按 {found['units']} 个独立部分重抽样）。{unseen_zh}",
        f"{chosen.protocol.said.en} {len(figures['tried'])} models were compared, {chosen.candidate.name} was taken. The "
        f"figures are those of {figures['rows_tested']} held-out rows not used in choosing; the release is then fitted on "
        f"everything.\n\n{shown_en}\n\nThe {loss_en} differs from the best simple rule's by {found['mean']:g}, 95 % interval "
        f"{found['low']:g} to {found['high']:g} ({found['units']} independent parts redrawn).{unseen_en}",
    )


def _over_unseen(figures: Mapping[str, Any]) -> tuple[str, str]:
    """What decided: the difference over all rows that were predicted unseen, of the folds and held out."""
    found = figures.get("difference_unseen")
    if found is None:
        return "", ""
    return (
        f"加上交叉检验的行，差为 {found['mean']:g}，{found['sure']:.1%} 区间 {found['low']:g} 到 {found['high']:g}（已按比较的模型数放宽）。",
        f" With the rows of the folds the difference is {found['mean']:g}, {found['sure']:.1%} interval {found['low']:g} to "
        f"{found['high']:g} (widened for the number of models compared).",
    )


def _intervals(figures: Mapping[str, Any], coverage: float) -> Said:
    if "interval_coverage" in figures:
        covered = figures["interval_coverage"]
        zh = f"{coverage:.0%} 区间（保形预测）在检验数据上的实际覆盖率为 {covered:.1%}，宽 {figures['interval_mean_width']:g}。"
        en = (
            f"{coverage:.0%} intervals (split conformal) covered {covered:.1%} of the held-out rows, width "
            f"{figures['interval_mean_width']:g}."
        )
    else:
        covered = figures["set_coverage"]
        zh = f"{coverage:.0%} 集合（保形预测）在检验数据上的实际覆盖率为 {covered:.1%}，平均含 {figures['set_mean_size']} 类。"
        en = f"{coverage:.0%} sets (conformal) covered {covered:.1%} of the held-out rows, {figures['set_mean_size']} classes on average."
    if covered < coverage - 0.05:
        zh += "覆盖率明显低于名义值：工况在变化，区间偏窄，请按偏窄来用。"
        en += " That is clearly less than nominal: conditions drift and the intervals are too narrow."
    return Said(zh, en)


def _limits(chosen: Chosen) -> Said:
    zh = ["超出训练范围的输入会标出，不会悄悄作答。换设备、换料、检修或工艺改变后须重新检验，误差变大就重新训练。"]
    en = [
        "Inputs outside the trained range are flagged. After a change of machine, material or process test again; train anew when errors grow."
    ]
    if chosen.figures.get("r2", 0) > TOO_GOOD or chosen.figures.get("accuracy", 0) > TOO_GOOD:
        zh.append("成绩好得可疑：请确认每个输入在需要预测的时刻已经知道，且不是由目标算出来的。")
        en.append(
            "Suspiciously good: make sure that each input is known when the prediction is needed, and not computed from the target."
        )
    if chosen.data.rows < 300:
        zh.append(f"只有 {chosen.data.rows} 行，成绩本身的误差较大。")
        en.append(f"With {chosen.data.rows} rows the figures themselves are uncertain.")
    return Said("\n".join(zh), "\n".join(en))
