from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.models.inference.units import _KINDS, OtherKind, converter


@pytest.mark.parametrize(
    ("given", "wanted", "value", "expected"),
    [
        ("t/h", "kg/h", 0.9, 900),
        ("kg/s", "kg/h", 1, 3600),
        ("%", "kg/kg", 70, 0.7),
        ("K", "℃", 298.15, 25),
        ("°F", "℃", 77, 25),
        ("GJ", "kWh", 1, 277.7777778),
        ("MWh", "kWh", 2, 2000),
        ("m", "mm", 0.0135, 13.5),
        ("kWh", "kWh", 5, 5),
    ],
)
def test_a_unit_of_the_same_kind_is_converted(given: str, wanted: str, value: float, expected: float) -> None:
    factor, offset = converter(given, wanted)
    assert value * factor + offset == pytest.approx(expected)


@pytest.mark.parametrize(("given", "wanted"), [("kWh", "kg"), ("kW", "kWh"), ("furlong", "mm"), ("kg", "")])
def test_a_unit_of_another_kind_is_refused_with_both_named(given: str, wanted: str) -> None:
    with pytest.raises(OtherKind) as refused:
        converter(given, wanted)
    assert given in str(refused.value)
    assert wanted in str(refused.value)


@pytest.mark.parametrize(
    ("given", "wanted", "value", "expected"),
    [
        ("度", "kWh", 12, 12),
        ("KWH", "kWh", 12, 12),
        ("大卡", "kWh", 859.845, 1),
        ("kcal/h", "kW", 859.845, 1),
        ("吨/小时", "kg/h", 5, 5000),
        ("bar", "MPa", 7, 0.7),
        ("kgf/cm2", "MPa", 1, 0.0980665),
        ("mmH2O", "Pa", 1, 9.80665),
        ("m³/min", "m3/h", 2, 120),
        ("L/s", "m³/h", 1, 3.6),
        ("米/分", "m/s", 60, 1),
        ("km/h", "m/s", 3.6, 1),
        ("丝", "μm", 3, 30),
        ("dtex", "tex", 167, 16.7),
        ("den", "dtex", 150, 166.6666667),
        ("万元", "元", 1.5, 15000),
        ("kWh/t", "kWh/kg", 1, 0.001),
        ("GJ/t", "kWh/kg", 3.6, 1),
        ("h", "s", 1, 3600),
        ("g/㎡", "kg/m2", 140, 0.14),
        ("g/cm3", "kg/m3", 7.85, 7850),
        ("摄氏度", "K", 25, 298.15),
    ],
)
def test_what_the_shop_floor_writes_is_understood(given: str, wanted: str, value: float, expected: float) -> None:
    factor, offset = converter(given, wanted)
    assert value * factor + offset == pytest.approx(expected)


@pytest.mark.parametrize(
    ("given", "wanted"), [("kW", "度"), ("Ne", "tex"), ("MPa(g)", "MPa"), ("kgce", "kWh"), ("kVA", "kW"), ("m3", "kg")]
)
def test_what_has_no_fixed_factor_is_never_guessed(given: str, wanted: str) -> None:
    with pytest.raises(OtherKind):
        converter(given, wanted)


@given(
    st.sampled_from([(one, other) for units in _KINDS.values() for one in units for other in units]),
    st.floats(-1e6, 1e6),
)
def test_there_and_back_is_the_same_value(pair: tuple[str, str], value: float) -> None:
    one, other = pair
    factor, offset = converter(one, other)
    back_factor, back_offset = converter(other, one)
    assert (value * factor + offset) * back_factor + back_offset == pytest.approx(value, rel=1e-9, abs=1e-6)
