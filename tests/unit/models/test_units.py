from __future__ import annotations

import pytest

from services.models.inference.units import OtherKind, converter


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
