"""Each template on a small table whose truth is known: what it answers, and when it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.models.errors import CannotTrain, DoesNotBeatNaive
from services.models.inference.predict import predict
from services.models.inference.release import open_release
from services.models.inference.sessions import load
from services.models.logic import packages, reproducing, shipping
from services.models.training import own_data
from services.models.training.table import Roles, Table
from services.models.training.templates.load_forecast import day_ahead
from services.models.training.templates.productivity import team_mean

START = datetime(2024, 1, 1)


def table(columns: Mapping[str, Sequence[Any]], **units: str) -> Table:
    kinds: dict[str, Any] = {}
    for name, values in columns.items():
        known = [value for value in values if value is not None]
        first = known[0]
        kinds[name] = "date" if isinstance(first, datetime) else "text" if isinstance(first, str) else "number"
        if len(set(known)) == 1:
            kinds[name] = "constant"
    listed = {name: [v.item() if isinstance(v, np.generic) else v for v in values] for name, values in columns.items()}
    return Table(listed, kinds, len(next(iter(listed.values()))), dict(units))


def roles(target: str, template: str | None = None, **more: Any) -> Roles:
    """No time for more than the two plainest models: what is shown here does not need them."""
    return Roles(target=target, title="试验", name="own-trial", template=template, **{"budget_s": 0, **more})


def trained(data: Table, asked: Roles) -> dict[str, Any]:
    return own_data.train(data, asked, lambda fraction, message: None)


def published(root: Path, document: dict[str, Any], asked: Roles) -> Any:
    """The release as serving loads it, after the checks that every published release passes."""
    assert packages.ReleaseIn().validate(document) == {}
    about = own_data.component_file(document, asked, owner="trial", aliases={"stable": document["version"]})
    packages.write_release(packages.write_component(root, about), document)
    assert list(shipping.findings([root], asked.name)) == []
    assert list(reproducing.findings([root], asked.name)) == []
    return load(open_release([root], asked.name))


def furnace(seed: int = 0, rows: int = 500) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    line = random.choice(["A线", "B线"], size=rows)
    temperature, speed = random.normal(850, 10, size=rows), random.uniform(1, 3, size=rows)
    hardness = 40 + 0.2 * (temperature - 850) - 2 * speed + 3 * (line == "B线") + random.normal(size=rows)
    gap = [None if place % 50 == 0 else value for place, value in enumerate(temperature)]
    return {"炉温": gap, "网带速度": speed, "产线": line, "硬度": hardness}


def test_every_template_says_what_it_needs_in_both_languages() -> None:
    listed = own_data.templates()
    assert len(listed) >= 11
    for each in listed:
        assert all(each[name][language] for name in ("title", "answers", "protocol") for language in ("zh", "en"))
        assert each["publishes"] in ("package", "report")


def test_a_model_of_own_columns_is_called_by_its_words_and_fills_what_is_missing(tmp_path: Path) -> None:
    asked = roles("硬度", unit="HRC")
    document = trained(table(furnace(), 炉温="°C"), asked)
    release = published(tmp_path, document, asked)
    first, second, third = document["signature"]["inputs"]
    assert (first["name"], first["title_zh"], first["unit"]) == ("x1", "炉温", "°C")
    assert first["default"] == pytest.approx(850, abs=2) and "default" not in second
    assert third["choices"] == ["A线", "B线"]
    answers = [
        predict(release, {"instances": [{"x1": 850, "x2": 2, "x3": line}]}, "zh")["predictions"][0]
        for line in ("A线", "B线")
    ]
    assert answers[1]["value"] - answers[0]["value"] == pytest.approx(3, abs=0.5)
    assert answers[0]["interval"]["low"] < 36 < answers[0]["interval"]["high"] and answers[0]["unit"] == "HRC"
    assert "缺 10 个值" in document["card"]["zh"]
    assert document["lineage"]["metrics"]["naive"]["mae"] > document["lineage"]["metrics"]["mae"]


def test_a_word_that_was_never_seen_is_refused_with_those_that_were(tmp_path: Path) -> None:
    from services.models.errors import BadInstances

    asked = roles("硬度")
    release = published(tmp_path, trained(table(furnace()), asked), asked)
    with pytest.raises(BadInstances) as refused:
        predict(release, {"instances": [{"x1": 850, "x2": 2, "x3": "C线"}]}, "zh")
    assert "A线" in str(refused.value.errors)


def test_a_rare_defect_gets_a_threshold_from_its_costs(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    pressure = random.normal(size=1500)
    bad = random.uniform(size=1500) < 1 / (1 + np.exp(-(2.5 * pressure - 4.5)))
    data = table({"压力": pressure, "湿度": random.normal(size=1500), "判定": np.where(bad, "不合格", "合格")})
    asked = roles("判定", options={"cost_miss": 50, "cost_alarm": 5})
    document = trained(data, asked)
    published(tmp_path, document, asked)
    assert document["lineage"]["parameters"]["template"] == "quality_classifier"
    decision = document["intervals"]["decision"]
    assert decision["positive"] == "不合格" and decision["threshold"] == pytest.approx(5 / 55, abs=1e-4)
    work = document["lineage"]["metrics"]["at_work"]
    assert work["cost_per_1000"] < min(work["cost_never_acting"], work["cost_always_acting"])
    few = {each["alarm_share"]: each for each in work["at_fixed_alarms"]}
    assert few[0.05]["precision"] > 3 * bad.mean()


def test_marks_written_after_a_failure_are_left_out_and_said(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    heat = random.normal(size=1000)
    failed = (heat + 0.5 * random.normal(size=1000) > 1.6).astype(float)
    cause = failed * (random.uniform(size=1000) < 0.5)
    asked = roles("故障", "failure_risk")
    document = trained(table({"温升": heat, "故障代码": cause, "故障": failed}), asked)
    published(tmp_path, document, asked)
    assert [each["title_zh"] for each in document["signature"]["inputs"]] == ["温升"]
    assert "故障代码" in document["card"]["zh"]
    assert document["lineage"]["metrics"]["protocol"] == "time"


def test_a_soft_sensor_finds_a_delayed_effect_and_compares_with_the_laboratory(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    steam = np.convolve(random.normal(size=1210), np.ones(5) / 5, mode="valid")[:1200]
    moisture = 8 - 3 * np.concatenate([np.zeros(4), steam[:-4]]) + 0.2 * random.normal(size=1200)
    asked = roles("水分", "soft_sensor", unit="%", options={"lags": [0, 2, 4]})
    document = trained(table({"蒸汽": steam, "水分": moisture}), asked)
    published(tmp_path, document, asked)
    metrics = document["lineage"]["metrics"]
    # What is left is the noise: its mean absolute value is 0.2 * 0.798.
    assert metrics["mae"] == pytest.approx(0.16, abs=0.03)
    assert document["lineage"]["parameters"]["recipe"]["lags"] == [0, 2, 4]
    assert metrics["delayed_laboratory_value"]["better_up_to"] == 0


def loads(days: int = 60) -> dict[str, Any]:
    random = np.random.default_rng(4)
    when = [START + timedelta(hours=hour) for hour in range(24 * days)]
    level = 50 + 20 * np.cumsum(random.normal(size=days)) / 10
    load = [
        level[hour // 24] * (0.3 if when[hour].weekday() >= 5 else 1.0) * (1 + 0.5 * np.sin(hour % 24 / 24 * 6.28))
        + random.normal()
        for hour in range(24 * days)
    ]
    return {"时间": when, "电量": load}


def test_a_load_forecast_sees_nothing_of_the_day_that_it_forecasts() -> None:
    columns = loads()
    changed = {**columns, "电量": list(columns["电量"])}
    for hour in range(24 * 50, 24 * 60):
        changed["电量"][hour] = 1e6
    asked = roles("电量", time="时间")
    one, other = day_ahead(table(columns), asked), day_ahead(table(changed), asked)
    assert one.when is not None
    known = one.when <= 50
    assert np.array_equal(one.matrix[known], other.matrix[known], equal_nan=True)
    assert not np.array_equal(one.matrix[one.when == 51], other.matrix[one.when == 51], equal_nan=True)


def test_a_load_forecast_beats_last_week_and_splits_no_day(tmp_path: Path) -> None:
    columns = loads(90)
    columns["同时段功率因数"] = list(columns["电量"])
    asked = roles("电量", "load_forecast", time="时间", features=("同时段功率因数",), unit="kWh")
    document = trained(table(columns), asked)
    published(tmp_path, document, asked)
    titles = [each["title_zh"] for each in document["signature"]["inputs"]]
    assert "昨天同一时刻" in titles and "同时段功率因数" not in titles
    assert document["lineage"]["metrics"]["mae"] < document["lineage"]["metrics"]["naive"]["mae"]
    assert document["lineage"]["metrics"]["rows_tested"] % 24 == 0


def test_remaining_life_is_counted_from_each_units_end_and_no_unit_is_split(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    unit, cycle, force = [], [], []
    for number in range(30):
        life = int(random.integers(60, 140))
        for place in range(life):
            unit.append(f"模具{number:02d}")
            cycle.append(float(place))
            force.append(100 + 30 * np.exp(-(life - place) / 25) + 0.5 * random.normal())
    asked = roles("冲次", "remaining_life", group="模具", unit="次")
    document = trained(table({"模具": unit, "冲次": cycle, "峰值力": force}), asked)
    published(tmp_path, document, asked)
    metrics = document["lineage"]["metrics"]
    assert metrics["protocol"] == "group" and metrics["mae"] < 0.7 * metrics["naive"]["mae"]
    assert metrics["one_cut_per_unit"]["units"] == 30
    assert document["signature"]["outputs"][0]["title_zh"] == "剩余寿命"


def test_rejects_in_proportion_to_the_quantity_are_left_to_the_rate() -> None:
    random = np.random.default_rng(6)
    quantity = random.uniform(100, 5000, size=600)
    rejected = quantity * 0.02 * random.gamma(4, 0.25, size=600)
    order = np.repeat(np.arange(200.0), 3)
    data = table(
        {"订单": order, "产量": quantity, "支数": random.choice([20.0, 32.0, 40.0], size=600), "疵布": rejected}
    )
    with pytest.raises(DoesNotBeatNaive) as refused:
        trained(data, roles("疵布", "first_pass_yield", group="订单"))
    assert "产量" in refused.value.rule_zh and "平均比率" in refused.value.rule_zh


def shifts(effect: float) -> dict[str, Any]:
    random = np.random.default_rng(7)
    days = [START + timedelta(days=place // 6) for place in range(900)]
    team = [f"{place % 6 + 1}班" for place in range(900)]
    minutes = random.uniform(5, 30, size=900)
    plan = random.choice([0.7, 0.75, 0.8], size=900)
    achieved = plan + effect * (minutes - 17) + 0.05 * random.normal(size=900)
    return {"日期": days, "班组": team, "标准工时": minutes, "计划效率": plan, "实际效率": achieved}


def test_a_plan_that_is_met_needs_no_model_and_a_missed_cause_is_found(tmp_path: Path) -> None:
    with pytest.raises(DoesNotBeatNaive) as refused:
        trained(table(shifts(0.0)), roles("实际效率", "productivity", time="日期", group="班组"))
    assert "计划效率" in refused.value.rule_zh
    asked = roles("实际效率", "productivity", time="日期", group="班组")
    document = trained(table(shifts(-0.01)), asked)
    published(tmp_path, document, asked)
    assert document["lineage"]["metrics"]["protocol"] == "time"


def test_a_teams_history_holds_no_row_of_the_same_day() -> None:
    when = np.array([0.0, 0.0, 1.0, 1.0, 2.0])
    found = team_mean(np.array([0, 0, 0, 0, 0]), when, np.array([1.0, 3.0, 5.0, 7.0, 9.0]))
    assert np.isnan(found[:2]).all()
    assert found[2:].tolist() == [2.0, 2.0, 4.0]


def signals(shift: float) -> dict[str, Any]:
    random = np.random.default_rng(8)
    load = random.normal(size=1500)
    current = load + 0.1 * random.normal(size=1500)
    current[1200:] += shift
    return {"负载": load, "电流": current, "温度": 2 * load + 0.2 * random.normal(size=1500), "序号": np.arange(1500.0)}


def test_an_anomaly_watch_finds_broken_relations_within_its_false_alarms(tmp_path: Path) -> None:
    asked = roles("温度", "anomaly_watch", features=("负载", "电流"), options={"false_alarms": 0.02})
    document = trained(table(signals(0.0)), asked)
    release = published(tmp_path, document, asked)
    metrics = document["lineage"]["metrics"]
    assert metrics["missed_share"] < 0.5 * metrics["naive"]["missed_share"]
    assert metrics["false_alarm_share"] < 0.05
    usual, odd = (
        predict(release, {"instances": [{"x1": 1, "x2": value, "x3": 2}]}, "zh")["predictions"][0]["value"]
        for value in (1, -1)
    )
    assert usual < 1 < odd


def test_a_usual_state_that_moves_is_reported_instead_of_alarming_all_day() -> None:
    asked = roles("温度", "anomaly_watch", features=("负载", "电流"))
    report = trained(table(signals(1.0)), asked)
    assert own_data.is_report(report) and not report["shown"]
    assert report["figures"][0]["low"] > 3 * report["figures"][1]["value"]


def drifting(drift: float) -> dict[str, Any]:
    random = np.random.default_rng(9)
    flow = random.normal(size=1500)
    offset = np.where(np.arange(1500) >= 900, drift, 0.0)
    return {"流量": flow, "浓度": 10 + 2 * flow + offset + 0.5 * random.normal(size=1500)}


def test_a_shifted_instrument_is_put_right_and_a_steady_one_left_alone(tmp_path: Path) -> None:
    asked = roles("浓度", "drift_aware_recalibration")
    document = trained(table(drifting(3.0)), asked)
    release = published(tmp_path, document, asked)
    value = predict(release, {"instances": [{"x1": 0.0}]}, "zh")["predictions"][0]["value"]
    assert value == pytest.approx(13, abs=0.3)
    assert document["lineage"]["metrics"]["uncorrected"]["mae"] > 4 * document["lineage"]["metrics"]["mae"]
    with pytest.raises(DoesNotBeatNaive) as refused:
        trained(table(drifting(0.0)), asked)
    assert refused.value.rule_en == "the uncorrected model"


def energy(saved: float, days_after: int, driven: bool = True, season: float = 9) -> Table:
    random = np.random.default_rng(10)
    days = 180 + days_after
    output, warmth = random.uniform(50, 100, size=days), 15 + 10 * np.sin(np.arange(days) / season)
    used = 800 + 12 * output + 25 * np.maximum(warmth - 22, 0) + 40 * random.normal(size=days)
    used[180:] *= 1 - saved
    output = output if driven else random.permutation(output)
    when = [START + timedelta(days=day) for day in range(days)]
    return table({"日期": when, "产量": output, "气温": warmth, "电量": used}, 电量="kWh", 气温="°C")


BASELINE = roles("电量", "energy_baseline", time="日期", options={"since": "2024-06-29"}, unit="kWh")


def test_a_saving_is_measured_within_its_uncertainty() -> None:
    report = trained(energy(0.08, 60), BASELINE)
    figures = {each["name"]: each for each in report["figures"]}
    assert own_data.is_report(report) and report["shown"]
    assert figures["saving_percent"]["low"] < 8 < figures["saving_percent"]["high"]
    assert figures["saving_percent"]["high"] - figures["saving_percent"]["low"] < 4
    assert figures["coefficient_1"]["low"] < 12 < figures["coefficient_1"]["high"]
    cusum = next(each for each in report["series"] if each["name"] == "cusum")
    assert cusum["y"][-1] == pytest.approx(-figures["saving"]["value"], rel=0.05)


def test_weather_that_the_baseline_never_had_is_said() -> None:
    report = trained(energy(0.08, 60, season=58), BASELINE)
    assert any("超出基准期" in each["zh"] for each in report["notes"])
    assert not any("超出基准期" in each["zh"] for each in trained(energy(0.08, 60), BASELINE)["notes"])


@pytest.mark.parametrize(("saved", "days"), [(0.0, 60), (0.01, 4)])
def test_a_saving_that_cannot_be_shown_yet_says_how_many_more_days(saved: float, days: int) -> None:
    report = trained(energy(saved, days), BASELINE)
    assert not report["shown"]
    assert "还不能说节约了" in report["verdict"]["zh"] and "cannot be shown yet" in report["verdict"]["en"]


def test_a_baseline_without_what_drives_the_energy_is_refused() -> None:
    with pytest.raises(DoesNotBeatNaive):
        trained(energy(0.0, 10, driven=False), roles("电量", "energy_baseline", time="日期", features=("产量",)))


def test_what_cannot_be_trained_is_said_by_column() -> None:
    data = table(furnace())
    for asked, word in (
        (roles("密度"), "密度"),
        (roles("产线", task="regression"), "文字"),
        (roles("硬度", "no_such"), "no_such"),
        (roles("硬度", "load_forecast"), "时间列"),
        (roles("硬度", "remaining_life"), "分组列"),
    ):
        with pytest.raises(CannotTrain) as refused:
            trained(data, asked)
        assert word in refused.value.column + refused.value.reason_zh
