"""Orders on parallel machines and lots in a dye vat: what comes after what, so that little is late and little changed
over. Computed by the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.sequence_model import Line, Plan, Task, planned
from services.models.tools.solver import Budget, Progress, whole

DEPTHS = ("浅", "中", "深", "黑")
CLEAN = "已洗净"
Rows = Sequence[Mapping[str, Any]]


def work_order_schedule(
    orders: Rows,
    changeovers: Rows,
    changeover_default_min: float,
    machines: float,
    changeover_weight: float,
    seconds: float,
    progress: Progress,
) -> ToolAnswer:
    """Orders on equal parallel machines with the least weighted lateness and changing over found in `seconds`.

    Minimises the sum over orders of weight x max(0, end - due) plus `changeover_weight` x minutes of changing over.
    `orders`: order, family, minutes, due_min and release_min (minutes from now), weight. `changeovers`: from, to,
    minutes between families; a pair that is not listed takes `changeover_default_min`, the same family takes none, and
    the first order of a machine none. Source: total weighted tardiness with sequence-dependent setups (Pinedo,
    Scheduling, P | s_jk | sum w_j T_j), annealing and CP-SAT. Raises ValueError.
    """
    _unique([row["order"] for row in orders], "订单", "order")
    count = _whole(machines, "设备台数", "number of machines")
    listed = {(row["from"], row["to"]): row["minutes"] for row in changeovers}
    _known_families(listed, {row["family"] for row in orders})
    families = [row["family"] for row in orders]
    minutes = [
        [0.0 if one == other else listed.get((one, other), changeover_default_min) for other in families]
        for one in families
    ]
    line, factor = _line(orders, minutes, [0.0] * len(orders), count, changeover_weight)
    plan = planned(line, Budget(seconds, progress))
    rows, chart_rows = _timetable(
        line, plan, orders, "order", [f"{n + 1} 号机 / M{n + 1}" for n in range(count)], factor
    )
    late = [row for row in rows if row[6] > 0]
    changing = sum(line.setup(route) for route in plan.routes) / factor
    as_given = sum(line.cost(route) for route in _as_given(line)) / factor
    cost, bound = plan.cost / factor, plan.bound / factor
    outputs = {
        "cost": rounded(cost), "bound": rounded(bound), "late_orders": len(late),
        "weighted_tardiness_min": rounded(cost - changeover_weight * changing),
        "changeover_min": rounded(changing), "makespan_min": max(row[5] for row in rows),
        "cost_as_given": rounded(as_given),
    }  # fmt: skip
    notes = (_proof(cost, bound), _lateness_note(late, "订单", "orders"))
    chart = _gantt("设备甘特图", "Machines over time", chart_rows)
    table = _table("排程表", "Schedule", "设备", "Machine", "订单", "Order", "族", "Family", rows)
    return ToolAnswer(outputs, notes, (chart,), (table,))


def dye_vat_sequence(
    lots: Rows,
    cleaning: Sequence[Sequence[float]],
    start_depth: str,
    water_per_clean_m3: float,
    tardiness_weight: float,
    seconds: float,
    progress: Progress,
) -> ToolAnswer:
    """The order of lots in one dye vat with the least cleaning and lateness found in `seconds`.

    `lots`: lot, colour, depth (浅 light, 中 medium, 深 dark, 黑 black), minutes, due_min (0: none). `cleaning`: minutes
    between depths, 4 x 4 in that order, rows from, columns to; none between lots of one colour. Before the first lot the
    vat has `start_depth` or is clean. Minimises minutes of cleaning + `tardiness_weight` x minutes of lateness. Each
    cleaning uses `water_per_clean_m3`. Source: asymmetric travelling salesman with due dates. Raises ValueError.
    """
    _unique([row["lot"] for row in lots], "缸号", "lot")
    if len(cleaning) != len(DEPTHS) or any(len(row) != len(DEPTHS) for row in cleaning):
        raise ValueError(
            "清缸时间应为 4 行 4 列（浅、中、深、黑）/ cleaning must be 4 by 4 (light, medium, dark, black)"
        )
    place = {name: number for number, name in enumerate(DEPTHS)}
    minutes = [
        [
            0.0 if one["colour"] == other["colour"] else cleaning[place[one["depth"]]][place[other["depth"]]]
            for other in lots
        ]
        for one in lots
    ]
    first = [0.0 if start_depth == CLEAN else cleaning[place[start_depth]][place[lot["depth"]]] for lot in lots]
    orders = [{**lot, "family": lot["colour"], "release_min": 0, "weight": 1} for lot in lots]
    line, factor = _line(orders, minutes, first, 1, 1, tardiness_weight)
    plan = planned(line, Budget(seconds, progress))
    rows, chart_rows = _timetable(line, plan, orders, "lot", ["染缸 / vat"], factor)
    route = plan.routes[0]
    given, by_depth = list(range(len(lots))), sorted(range(len(lots)), key=lambda n: (place[lots[n]["depth"]], n))
    late = [row for row in rows if row[6] > 0]
    cleans = sum(row[3] > 0 for row in rows)
    outputs = {
        "cleaning_min": line.setup(route) / factor, "cleanings": cleans,
        "water_m3": rounded(cleans * water_per_clean_m3), "total_min": rows[-1][5], "late_lots": len(late),
        "cleaning_as_given_min": line.setup(given) / factor,
        "cleaning_light_to_dark_min": line.setup(by_depth) / factor,
    }  # fmt: skip
    saved = (line.setup(given) - line.setup(route)) / factor
    better = {
        "zh": f"比按来单顺序少清缸 {saved:g} min。" if saved > 0 else "清缸不比来单顺序少：交期要求了这样的顺序。",
        "en": f"{saved:g} min less cleaning than in the order given."
        if saved > 0
        else "No less cleaning than in the order given: the due times ask for it.",
    }
    notes = (_proof(plan.cost / factor, plan.bound / factor), better, _lateness_note(late, "缸", "lots"))
    chart = _gantt("染缸甘特图", "The vat over time", chart_rows)
    table = _table("排缸表", "Sequence", "染缸", "Vat", "缸号", "Lot", "色号", "Colour", rows)
    return ToolAnswer(outputs, notes, (chart,), (table,))


def _line(
    orders: Rows,
    minutes: Sequence[Sequence[float]],
    first: Sequence[float],
    machines: int,
    setup_weight: float,
    lateness_weight: float = 1,
) -> tuple[Line, int]:
    """The orders in whole units, and how many of them a minute has."""
    count = len(orders)
    flat = [value for row in minutes for value in row] + list(first)
    for name in ("minutes", "due_min", "release_min"):
        flat += [row[name] for row in orders]
    scaled, factor = whole(flat)
    between = tuple(tuple(scaled[count * one : count * (one + 1)]) for one in range(count))
    rest = scaled[count * count + count :]
    tasks = tuple(
        Task(
            length=rest[number],
            due=rest[count + number] or None,
            release=rest[2 * count + number],
            weight=_whole(order["weight"] * lateness_weight, "权重", "weight", 0),
        )
        for number, order in enumerate(orders)
    )
    setups = _whole(setup_weight, "换型权重", "changeover weight", 0)
    return Line(tasks, between, tuple(scaled[count * count : count * count + count]), machines, setups), factor


def _timetable(
    line: Line, plan: Plan, orders: Rows, key: str, names: Sequence[str], factor: int
) -> tuple[list[list[Any]], list[dict[str, Any]]]:
    """Rows of the table, and of the chart."""
    rows: list[list[Any]] = []
    chart = []
    families = list(dict.fromkeys(order["family"] for order in orders))
    for name, route in zip(names, plan.routes, strict=True):
        bars = []
        for number, (begins, start, end) in zip(route, line.timed(route), strict=True):
            order, due = orders[number], line.tasks[number].due
            late = max(0, end - due) if due is not None else 0
            rows.append([
                name, order[key], order["family"], (start - begins) / factor, start / factor, end / factor, late / factor
            ])  # fmt: skip
            if start > begins:
                bars.append({"start": begins / factor, "end": start / factor, "label": "", "group": 0})
            group = 1 + families.index(order["family"]) % 6
            bars.append({"start": start / factor, "end": end / factor, "label": order[key], "group": group})
        chart.append({"name": name, "bars": bars})
    return rows, chart


def _gantt(zh: str, en: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    until = max(bar["end"] for row in rows for bar in row["bars"])
    return {"kind": "gantt", "title_zh": zh, "title_en": en, "unit": "min", "until": until, "rows": rows}


def _table(
    zh: str, en: str, where_zh: str, where_en: str, key_zh: str, key_en: str, family_zh: str, family_en: str,
    rows: list[list[Any]],
) -> dict[str, Any]:  # fmt: skip
    columns = (
        ("machine", where_zh, where_en, ""), ("order", key_zh, key_en, ""), ("family", family_zh, family_en, ""),
        ("changeover", "换型", "Changeover", "min"), ("start", "开始", "Start", "min"), ("end", "结束", "End", "min"),
        ("late", "拖期", "Late", "min"),
    )  # fmt: skip
    told = [dict(zip(("name", "title_zh", "title_en", "unit"), column, strict=True)) for column in columns]
    return {"title_zh": zh, "title_en": en, "columns": told, "rows": rows}


def _as_given(line: Line) -> list[list[int]]:
    """What happens without planning: orders in the order given, each to the machine that is free first."""
    routes: list[list[int]] = [[] for _ in range(line.machines)]
    for number in range(len(line.tasks)):
        ends = [line.timed(route)[-1][2] if route else 0 for route in routes]
        routes[ends.index(min(ends))].append(number)
    return routes


def _proof(cost: float, bound: float) -> dict[str, str]:
    if cost <= bound + 1e-9:
        return {"zh": "已证明是最优方案。", "en": "Proved to be the best plan."}
    return {
        "zh": f"还没有证明最优：目标值 {cost:g}，理论下界 {bound:g}（下界可能偏松），增加求解时间可能更好。",
        "en": f"Not proved to be the best: cost {cost:g}, bound {bound:g} (which may be loose); more time may help.",
    }


def _lateness_note(late: list[list[Any]], zh: str, en: str) -> dict[str, str]:
    if not late:
        return {"zh": "全部按期。", "en": "Nothing is late."}
    worst = max(late, key=lambda row: row[6])
    return {
        "zh": f"有 {len(late)} 个{zh}拖期，最多的 {worst[1]} 拖 {worst[6]:g} min：提前与客户确认，或加班、外协这些{zh}。",
        "en": f"{len(late)} {en} are late, at most {worst[1]} by {worst[6]:g} min: agree on it with the customer in time, or "
        "add a shift.",
    }


def _unique(names: Sequence[str], zh: str, en: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{zh}「{twice}」出现了两次，每行应不同 / {en} {twice} stands twice, every row needs its own")


def _known_families(listed: Mapping[tuple[str, str], float], families: set[str]) -> None:
    unknown = sorted({name for pair in listed for name in pair} - families)
    if len(unknown) == len({name for pair in listed for name in pair}) and unknown:
        said = "、".join(unknown[:5])
        raise ValueError(
            f"换型表里的族（{said}）在订单里都没有 / no family of the changeover table is among the orders"
        )


def _whole(value: float, zh: str, en: str, least: int = 1) -> int:
    if value != int(value) or value < least:
        raise ValueError(
            f"{zh}应为不小于 {least} 的整数，现为 {value:g} / the {en} must be a whole number from {least}"
        )
    return int(value)
