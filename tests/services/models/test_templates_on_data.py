"""Each template on a real data set, by its honest protocol: what it reaches, or that it refuses where nobody knew better.

The sets lie under ZHIGAI_DATA_DIR; the tests are skipped where that is not set. Of sets that may only be evaluated
nothing is kept. Figures in comments are the sets' own baselines, on other held-out parts and so only near.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.models.training.table import Roles, Table

pytest.importorskip("sklearn", reason="the extra `train` is not installed")

from services.models.errors import DoesNotBeatNaive
from services.models.logic.packages import ReleaseIn
from services.models.training import own_data, steel_plate_faults

pytestmark = pytest.mark.slow
TURBINE = ("AT", "AP", "AH", "AFDP", "GTEP", "TIT", "TAT", "TEY", "CDP")


@pytest.fixture(scope="module")
def data_dir() -> Path:
    given = os.environ.get("ZHIGAI_DATA_DIR")
    if not given or not Path(given, "turbofan_fd001").is_dir():
        pytest.skip("ZHIGAI_DATA_DIR names no folder with the full data sets")
    return Path(given)


def read(path: Path, dates: Sequence[str] = ()) -> Table:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return table({name: [parsed(row[name].strip(), name in dates) for row in rows] for name in rows[0]})


def parsed(text: str, date: bool) -> Any:
    if not text:
        return None
    if date:
        return datetime.fromisoformat(text)
    try:
        return float(text)
    except ValueError:
        return text


def table(columns: Mapping[str, list[Any]]) -> Table:
    kinds: dict[str, Any] = {}
    for name, values in columns.items():
        known = {value for value in values if value is not None}
        words = any(isinstance(value, str) for value in known)
        columns[name][:] = [str(value) if words and value is not None else value for value in values]
        dates = any(isinstance(value, datetime) for value in known)
        kinds[name] = "constant" if len(known) == 1 else "text" if words else "date" if dates else "number"
    return Table(dict(columns), kinds, len(next(iter(columns.values()))))


def trained(data: Table, target: str, template: str, **more: Any) -> dict[str, Any]:
    asked = Roles(target=target, title="真实数据", name="own-data", template=template, **{"budget_s": 10, **more})
    document = own_data.train(data, asked, lambda fraction, message: None)
    if not own_data.is_report(document):
        assert ReleaseIn().validate(document) == {}
    return document


def others(data: Table, *names: str) -> tuple[str, ...]:
    return tuple(name for name in data.columns if name not in names)


def turbine(data_dir: Path) -> Table:
    """2011 to 2013, every second hour, so that a core is done in seconds."""
    years = [read(data_dir / "gas_turbine_emissions" / f"gt_{year}.csv.gz") for year in (2011, 2012, 2013)]
    return table({name: [value for year in years for value in year.columns[name]][::2] for name in years[0].columns})


def steel(data_dir: Path, until: datetime | None = None, saved: float = 0.0) -> Table:
    """With `saved` the consumption from September on is less by that share: a retrofit whose effect is known."""
    data = read(data_dir / "steel_energy" / "train.csv.gz", dates=("interval_end",))
    stamps: list[Any] = data.columns["interval_end"]
    kept = [row for row, stamp in enumerate(stamps) if until is None or stamp < until]
    columns = {name: [data.columns[name][row] for row in kept] for name in ("interval_end", "usage_kwh", "load_type")}
    since = datetime(2018, 9, 1)
    columns["usage_kwh"] = [
        value * (1 - saved) if stamp >= since else value
        for value, stamp in zip(columns["usage_kwh"], columns["interval_end"], strict=True)
    ]
    return table(columns)


def test_load_forecast_beats_last_week_on_a_steelworks(data_dir: Path) -> None:
    document = trained(steel(data_dir), "usage_kwh", "load_forecast", time="interval_end", unit="kWh")
    found = document["lineage"]["metrics"]
    # Day ahead: last week 12.7 kWh, boosted trees with absolute loss 8.6 (two later months), the shipped model 8.9.
    assert found["mae"] < 9.6
    assert found["mae"] < found["naive"]["mae"] < 12.7
    assert 0.85 <= found["interval_coverage"] <= 0.95


def test_energy_baseline_shows_a_saving_only_once_it_can(data_dir: Path) -> None:
    asked: dict[str, Any] = {
        "time": "interval_end", "features": ("load_type",), "unit": "kWh", "options": {"since": "2018-09-01"},
    }  # fmt: skip
    nothing = trained(steel(data_dir), "usage_kwh", "energy_baseline", **asked)
    saved = trained(steel(data_dir, saved=0.15), "usage_kwh", "energy_baseline", **asked)
    week = trained(steel(data_dir, datetime(2018, 9, 8), 0.15), "usage_kwh", "energy_baseline", **asked)
    assert not nothing["shown"] and not week["shown"] and saved["shown"]
    assert "more days are needed" in week["verdict"]["en"]
    share = {each["name"]: each for each in saved["figures"]}["saving_percent"]
    assert share["low"] < 15 < share["high"]


def test_quality_classifier_on_steel_plates_keeps_coils_together(data_dir: Path) -> None:
    matrix, target, coils = steel_plate_faults.read(data_dir / "steel_plate_faults" / "data.csv.gz")
    columns: dict[str, list[Any]] = {
        name: matrix[:, place].tolist() for place, name in enumerate(steel_plate_faults.NAMES)
    }
    columns |= {"coil": list(coils), "fault": [steel_plate_faults.CLASSES[number] for number in target]}
    document = trained(table(columns), "fault", "quality_classifier", group="coil")
    found = document["lineage"]["metrics"]
    # By coil 0.73 to 0.74 accuracy; a random split would say 0.79.
    assert 0.68 <= found["accuracy"] <= 0.79
    assert found["brier"] < 0.6 * found["naive"]["brier"]
    assert found["protocol"] == "group"
    assert found["set_coverage"] >= 0.85


def test_failure_risk_on_a_milling_machine_leaves_out_what_is_written_afterwards(data_dir: Path) -> None:
    data = read(data_dir / "ai4i_maintenance" / "train.csv.gz")
    features = others(data, "udi", "product_id", "machine_failure")
    document = trained(data, "machine_failure", "failure_risk", features=features)
    found = document["lineage"]["metrics"]
    titles = {each["title_zh"] for each in document["signature"]["inputs"]}
    assert not titles & {"twf", "hdf", "pwf", "osf"}
    # Average precision 0.69 without hand-made features in order of time; 0.96 where the marks are left in.
    assert 0.5 <= found["average_precision"] <= 0.9
    assert found["brier"] < 0.8 * found["naive"]["brier"]
    work = found["at_work"]
    assert work["cost_per_1000"] < min(work["cost_never_acting"], work["cost_always_acting"])


def test_soft_sensor_on_a_debutaniser_says_when_the_laboratory_is_better(data_dir: Path) -> None:
    data = read(data_dir / "debutanizer" / "train.csv.gz")
    document = trained(data, "y", "soft_sensor", features=tuple(f"u{place}" for place in range(1, 8)))
    found = document["lineage"]["metrics"]
    # In order of time 0.46 to 0.54 of the variance on a later part; random folds would say 0.86.
    assert 0.3 <= found["r2"] <= 0.8
    delayed = found["delayed_laboratory_value"]
    assert delayed["better_up_to"] in (2, 4, 8)
    assert delayed["mae_by_delay"]["1"] < found["mae"]


def test_remaining_life_of_turbofans_by_unit(data_dir: Path) -> None:
    data = read(data_dir / "turbofan_fd001" / "train.csv.gz")
    document = trained(data, "cycle", "remaining_life", group="unit", features=others(data, "unit", "cycle"))
    found = document["lineage"]["metrics"]
    # Capped, by unit: 10.9 cycles on the test engines, 10.4 at one random cut of each; random rows would say 6.6.
    assert found["protocol"] == "group"
    assert 8.0 <= found["rmse"] <= 14.0
    assert 6.0 <= found["one_cut_per_unit"]["rmse"] <= 13.0
    assert found["mae"] < 0.6 * found["naive"]["mae"]


def test_weaving_rejection_is_refused_for_the_plain_rate(data_dir: Path) -> None:
    data = read(data_dir / "weaving_rejection" / "train.csv.gz")
    features = others(data, "row", "order_id", "Rejection")
    with pytest.raises(DoesNotBeatNaive) as refused:
        trained(data, "Rejection", "first_pass_yield", group="order_id", features=features)
    assert "Total_Pdn" in refused.value.rule_zh and "平均比率" in refused.value.rule_zh


def test_garment_productivity_is_refused_for_the_plan(data_dir: Path) -> None:
    data = read(data_dir / "garment_productivity" / "train.csv.gz", dates=("date",))
    known = (
        "quarter", "department", "day", "targeted_productivity", "smv", "no_of_style_change", "no_of_workers"
    )  # fmt: skip
    with pytest.raises(DoesNotBeatNaive) as refused:
        trained(data, "actual_productivity", "productivity", time="date", group="team", features=known)
    assert "targeted_productivity" in refused.value.rule_zh


def test_anomaly_watch_on_a_turbine_finds_more_than_limits_or_says_that_it_drifts(data_dir: Path) -> None:
    document = trained(turbine(data_dir), "CO", "anomaly_watch", features=TURBINE)
    found = document["lineage"]["metrics"]
    assert found["missed_share"] < found["naive"]["missed_share"]
    if not own_data.is_report(document):
        assert found["false_alarm_share"] < 0.03
    # The first year alone is too short to know the seasons: no watch is offered.
    whole = turbine(data_dir)
    first = table({name: values[:3600] for name, values in whole.columns.items()})
    report = trained(first, "CO", "anomaly_watch", features=TURBINE)
    assert own_data.is_report(report) and "不发布" in report["verdict"]["zh"]


def test_recalibration_of_emissions_is_refused_where_the_relation_itself_moved(data_dir: Path) -> None:
    """Both emissions drift over the years, but not by an offset or a scale that the latest weeks would tell."""
    data = turbine(data_dir)
    for target in ("NOX", "CO"):
        with pytest.raises(DoesNotBeatNaive) as refused:
            trained(data, target, "drift_aware_recalibration", features=TURBINE)
        assert refused.value.figures["level"]["mae"] > refused.value.model


def test_recalibration_mends_an_instrument_that_shifted(data_dir: Path) -> None:
    """The turbine's power, which its other signals tell well, with a meter that reads 6 MWh more from 2013 on."""
    data = turbine(data_dir)
    power = [value + 6 * (year == 2013) for value, year in zip(data.columns["TEY"], data.columns["year"], strict=True)]
    columns = {name: list(data.columns[name]) for name in TURBINE if name != "TEY"}
    document = trained(table({**columns, "TEY": power}), "TEY", "drift_aware_recalibration")
    found = document["lineage"]["metrics"]
    assert found["mae"] < 0.5 * found["uncorrected"]["mae"]
    assert found["mae"] < found["level"]["mae"]
