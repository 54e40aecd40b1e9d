"""Key figures of production: what a machine's planned time became."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

USUAL_OEE_PERCENT = (45.0, 75.0)
"""Where the machines of small manufacturers usually lie; trade experience, definitions differ between firms."""
_SLACK = 1 + 1e-9
"""Sums of minutes typed in decimals."""


def oee(
    planned_min: float, production_min: float, cycle_min: float, output_pieces: float, good_pieces: float
) -> ToolAnswer:
    """Overall equipment effectiveness and the minutes behind each loss.

    availability = APT / PBT, effectiveness = PRI PQ / APT, quality = GQ / PQ, OEE = their product = PRI GQ / PBT

    Arguments: planned busy time (min), actual production time (min), planned run time per piece (min), pieces made, of
    which good at the first time. Returns oee_percent, the three rates (%), the minutes lost to stops, speed and quality,
    which with the good time add up to the planned time, and the cycle above which effectiveness would pass 100 % (min).
    Raises ValueError. Source: ISO 22400-2.
    """
    refuse_unless_positive(
        ("计划时间", "the planned time", planned_min),
        ("实际开动时间", "the production time", production_min),
        ("单件计划节拍", "the planned cycle", cycle_min),
        ("产出总数", "the output", output_pieces),
    )
    refuse_if_negative(("合格数", "the good pieces", good_pieces))
    _refuse_more("实际开动时间", "the production time", production_min, "计划时间", "the planned time", planned_min)
    _refuse_more("合格数", "the good pieces", good_pieces, "产出总数", "the output", output_pieces)
    availability = production_min / planned_min
    effectiveness = cycle_min * output_pieces / production_min
    quality = good_pieces / output_pieces
    whole = availability * effectiveness * quality
    losses = {
        "stop_loss_min": planned_min - production_min,
        "speed_loss_min": production_min - cycle_min * output_pieces,
        "quality_loss_min": cycle_min * (output_pieces - good_pieces),
    }
    outputs = {
        "oee_percent": rounded(100 * whole),
        "availability_percent": rounded(100 * availability),
        "effectiveness_percent": rounded(100 * effectiveness),
        "quality_percent": rounded(100 * quality),
        **{name: rounded(value) for name, value in losses.items()},
        "longest_cycle_min": rounded(production_min / output_pieces),
    }
    if effectiveness > _SLACK:
        return ToolAnswer(outputs, (_loose_cycle_note(cycle_min, production_min / output_pieces, effectiveness),))
    good_per_min = {
        "stop_loss_min": effectiveness * quality / cycle_min,
        "speed_loss_min": quality / cycle_min,
        "quality_loss_min": 1 / cycle_min,
    }
    return ToolAnswer(outputs, (_level_note(whole), _loss_note(losses, planned_min, good_per_min)))


def _loose_cycle_note(cycle: float, measured: float, effectiveness: float) -> dict[str, str]:
    return {
        "zh": f"性能率 {effectiveness * 100:.1f} % 超过 100 %：计划节拍 {cycle:g} min 定松了，或停机时间记多了，这个 OEE 偏高不能用。"
        f"按记录平均每件只用 {measured:.3g} min，先用实测最佳稳定节拍再算。",
        "en": f"Effectiveness of {effectiveness * 100:.1f} % is above 100 %: the planned cycle of {cycle:g} min is too loose or "
        f"stops were recorded too long, and this OEE is too high to be used. A piece took {measured:.3g} min on average: "
        "take the best steady cycle measured and compute again.",
    }


def _level_note(whole: float) -> dict[str, str]:
    low, high = USUAL_OEE_PERCENT
    percent = 100 * whole
    place = ("低于", "below") if percent < low else ("高于", "above") if percent > high else ("落在", "within")
    zh = f"OEE {percent:.1f} %，{place[0]}中小厂常见的 {low:g}–{high:g} %（行业经验，各厂口径不同，只和自己比）。"
    en = f"OEE {percent:.1f} %, {place[1]} the usual {low:g} to {high:g} % of small manufacturers (trade experience; "
    en += "definitions differ, compare with your own past only)."
    if percent > high:
        zh += "偏高时先查口径：换型、小停机是不是没记。"
        en += " When it is that high, check first whether changeovers and short stops were recorded."
    return {"zh": zh, "en": en}


_LOSSES: dict[str, tuple[str, str, str, str]] = {
    "stop_loss_min": (
        "停机和换型", "stops and changeovers",
        "按停机原因排序，先压换型和第一位的停机", "rank the reasons of stops, changeovers first",
    ),
    "speed_loss_min": (
        "速度和小停机", "speed and short stops",
        "查降速原因和几秒的小停机", "look for reduced speeds and stops of seconds",
    ),
    "quality_loss_min": (
        "不良", "defects", "用帕累托找第一位的不良", "find the first defect by a Pareto table",
    ),
}  # fmt: skip


def _loss_note(losses: dict[str, float], planned: float, good_per_min: dict[str, float]) -> dict[str, str]:
    first = max(losses, key=lambda name: losses[name])
    minutes = losses[first]
    if minutes < 0.005 * planned:
        return {
            "zh": "三项损失都不到计划时间的 0.5 %。",
            "en": "Each of the three losses is below 0.5 % of the planned time.",
        }
    zh, en, advice_zh, advice_en = _LOSSES[first]
    pieces = 0.1 * minutes * good_per_min[first]
    return {
        "zh": f"最大的损失是{zh}：{minutes:.0f} min，占计划时间 {100 * minutes / planned:.1f} %。{advice_zh}；"
        f"这项损失减一成，同样的计划时间约多 {pieces:.1f} 件合格品。",
        "en": f"The largest loss is {en}: {minutes:.0f} min, {100 * minutes / planned:.1f} % of the planned time; "
        f"{advice_en}. A tenth less of it gives about {pieces:.1f} good pieces more in the same planned time.",
    }


def operations_kpi(
    planned_min: float,
    busy_min: float,
    setup_min: float,
    production_min: float,
    delay_min: float,
    cycle_min: float,
    output_pieces: float,
    good_pieces: float,
    scrap_pieces: float,
    rework_pieces: float,
    inspected_pieces: float,
    first_pass_pieces: float,
    order_h: float,
    failures: float,
    running_h: float,
    repair_h: float,
) -> ToolAnswer:
    """The set of key figures of a work unit.

    allocation = AUBT / PBT, utilisation = APT / AUBT, technical = APT / (APT + ADET), setup rate = AUST / AUPT with
    AUPT = AUST + APT, effectiveness = PRI PQ / APT, OEE = APT / PBT x effectiveness x quality, NEE = AUPT / PBT x
    effectiveness x quality, FPY = GP / IP, scrap ratio = SQ / PQ, rework ratio = RQ / PQ, throughput = PQ / AOET,
    MTBF = sum TBF / (failures + 1), MTTR = sum TTR / (failures + 1)

    Arguments: planned busy, busy, setup, production and delay time (PBT, AUBT, AUST, APT, ADET; min), planned run time
    per piece (min), pieces made, good, scrapped, reworked, inspected, passed at the first time, order execution time (h),
    failures, running hours between failures and repair hours in all (h). A figure whose quantities are 0 is left out.
    Returns percentages, pieces/h and hours. Raises ValueError. Source: ISO 22400-2.
    """
    _refuse_times(planned_min, busy_min, setup_min, production_min, delay_min)
    _refuse_counts(output_pieces, good_pieces, scrap_pieces, rework_pieces, inspected_pieces, first_pass_pieces)
    refuse_unless_positive(("单件计划节拍", "the planned cycle", cycle_min))
    effectiveness = cycle_min * output_pieces / production_min
    outputs = _time_rates(planned_min, busy_min, setup_min, production_min, delay_min)
    work = effectiveness * good_pieces / output_pieces
    outputs |= {
        "oee_percent": work * outputs["availability_percent"],
        "nee_percent": work * 100 * (setup_min + production_min) / planned_min,
        "effectiveness_percent": 100 * effectiveness,
        "quality_percent": 100 * good_pieces / output_pieces,
        "scrap_percent": 100 * scrap_pieces / output_pieces,
        "rework_percent": 100 * rework_pieces / output_pieces,
    }
    if inspected_pieces > 0:
        outputs["first_pass_percent"] = 100 * first_pass_pieces / inspected_pieces
    if order_h > 0:
        outputs["throughput_per_h"] = output_pieces / order_h
    outputs |= _failure_times(failures, running_h, repair_h)
    unexplained = busy_min - setup_min - production_min - delay_min
    notes = [
        _kpi_note(outputs, planned_min - busy_min, setup_min, delay_min, unexplained),
        *_count_note(good_pieces, scrap_pieces, rework_pieces, output_pieces),
        *_failure_note(failures, running_h, repair_h),
    ]
    if effectiveness > _SLACK:
        notes.append(_loose_cycle_note(cycle_min, production_min / output_pieces, effectiveness))
    return ToolAnswer({name: rounded(value) for name, value in outputs.items()}, tuple(notes))


def _time_rates(planned: float, busy: float, setup: float, production: float, delay: float) -> dict[str, float]:
    return {
        "availability_percent": 100 * production / planned,
        "allocation_percent": 100 * busy / planned,
        "utilisation_percent": 100 * production / busy,
        "technical_percent": 100 * production / (production + delay),
        "setup_percent": 100 * setup / (setup + production),
    }


def _failure_times(failures: float, running: float, repair: float) -> dict[str, float]:
    refuse_if_negative(
        ("故障次数", "the failures", failures),
        ("运行时间合计", "the running hours", running),
        ("修理时间合计", "the repair hours", repair),
    )
    if running <= 0:
        return {}
    return {"mtbf_h": running / (failures + 1), "mttr_h": repair / (failures + 1)}


def _refuse_times(planned: float, busy: float, setup: float, production: float, delay: float) -> None:
    refuse_unless_positive(
        ("计划占用时间", "the planned busy time", planned),
        ("实际占用时间", "the busy time", busy),
        ("生产时间", "the production time", production),
    )
    refuse_if_negative(("准备时间", "the setup time", setup), ("延误时间", "the delay time", delay))
    _refuse_more("实际占用时间", "the busy time", busy, "计划占用时间", "the planned busy time", planned)
    parts = setup + production + delay
    _refuse_more("准备、生产、延误之和", "setup, production and delay", parts, "实际占用时间", "the busy time", busy)


def _refuse_counts(
    output: float, good: float, scrap: float, rework: float, inspected: float, passed_first: float
) -> None:
    refuse_unless_positive(("产出总数", "the output", output))
    counts = (("合格数", "the good pieces", good), ("报废数", "the scrap", scrap), ("返工数", "the rework", rework))
    passed = ("一次合格数", "the pieces passed at first", passed_first)
    refuse_if_negative(*counts, passed, ("检验数", "those inspected", inspected))
    for count in counts:
        _refuse_more(*count, "产出总数", "the output", output)
    _refuse_more(*passed, "检验数", "those inspected", inspected)


def _kpi_note(outputs: dict[str, float], idle: float, setup: float, delay: float, unexplained: float) -> dict[str, str]:
    gaps = (
        (idle, "没派单", "no order allocated", "看排产和待料", "look at planning and missing material"),
        (setup, "换型准备", "setup", "把能在开机时做的准备移到停机外", "prepare outside of the stop what can be"),
        (delay, "延误停顿", "delays", "按停机原因排序，先做第一位", "rank the reasons of stops and take the first"),
        (unexplained, "没有记录去向", "not accounted for", "先把停机原因记全", "record the reasons of stops first"),
    )
    minutes, zh, en, advice_zh, advice_en = max(gaps)
    oee_said, nee = outputs["oee_percent"], outputs["nee_percent"]
    return {
        "zh": f"OEE {oee_said:.1f} %，NEE {nee:.1f} %（差 {nee - oee_said:.1f} 个百分点是换型准备）。"
        f"时间上最大的缺口是{zh}：{minutes:.0f} min；{advice_zh}。",
        "en": f"OEE {oee_said:.1f} %, NEE {nee:.1f} % (the {nee - oee_said:.1f} points between them are setup). The largest "
        f"gap in time is {en}: {minutes:.0f} min; {advice_en}.",
    }


def _count_note(good: float, scrap: float, rework: float, output: float) -> list[dict[str, str]]:
    total = good + scrap + rework
    if abs(total - output) < 0.5:
        return []
    zh = f"合格 {good:.0f}、报废 {scrap:.0f}、返工 {rework:.0f} 合计 {total:.0f}，与产出 {output:.0f} 不符："
    en = f"Good {good:.0f}, scrap {scrap:.0f} and rework {rework:.0f} make {total:.0f}, not the output of {output:.0f}: what is good "
    return [
        {
            "zh": zh + "返工后合格的只算返工，查漏记和重记。",
            "en": en + "after rework counts as rework only; look for pieces counted twice or not at all.",
        }
    ]


def _failure_note(failures: float, running: float, repair: float) -> list[dict[str, str]]:
    if running <= 0:
        return []
    if failures < 1:
        zh = f"这段时间没有故障，MTBF 只能说不短于约 {running:.0f} h，拉长统计期再看。"
        en = f"No failure in this time: the MTBF is only known to be no shorter than about {running:.0f} h; observe longer."
        return [{"zh": zh, "en": en}]
    mtbf, mttr = running / (failures + 1), repair / (failures + 1)
    zh = f"MTBF {mtbf:.1f} h、MTTR {mttr:.2f} h 按标准除以（次数 + 1）；不少厂除以次数，"
    en = f"MTBF {mtbf:.1f} h and MTTR {mttr:.2f} h divide by failures + 1 as the standard does; many divide by failures, "
    return [
        {
            "zh": zh + f"那是 {running / failures:.1f} h 和 {repair / failures:.2f} h，和别处比之前先对口径。",
            "en": en
            + f"which gives {running / failures:.1f} h and {repair / failures:.2f} h: settle that before comparing.",
        }
    ]


def _refuse_more(part_zh: str, part_en: str, part: float, whole_zh: str, whole_en: str, whole: float) -> None:
    if part > whole * _SLACK:
        raise ValueError(
            f"{part_zh}不能超过{whole_zh} {whole:g}，现为 {part:g} / {part_en} must not exceed {whole_en} of {whole:g}, "
            f"got {part:g}"
        )
