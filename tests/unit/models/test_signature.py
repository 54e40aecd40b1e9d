from __future__ import annotations

import pytest

from services.models.inference.metadata import model_metadata
from services.models.inference.release import SHIPPED, component_names, open_release
from services.models.inference.signature import Signature, tensor_parameters

NAMES = component_names([SHIPPED])


def test_the_trained_models_ship_beside_the_tools() -> None:
    kinds = {name: open_release([SHIPPED], name).kind for name in NAMES}
    assert [name for name, kind in kinds.items() if kind == "model"] == [
        "ai4i-maintenance", "gas-turbine-co", "gas-turbine-yield", "steel-energy", "steel-energy-15min",
        "steel-plate-faults",
    ]  # fmt: skip
    assert sum(kind == "tool" for kind in kinds.values()) >= 40


@pytest.mark.parametrize("name", NAMES)
def test_a_signature_survives_its_own_json(name: str) -> None:
    signature = open_release([SHIPPED], name).signature
    assert Signature.from_mapping(signature.as_json()) == signature


@pytest.mark.parametrize("name", NAMES)
def test_the_protocol_tells_unit_title_and_range_of_every_number(name: str) -> None:
    about = open_release([SHIPPED], name)
    for feature in about.signature.inputs:
        told = tensor_parameters(feature)
        assert told["title_zh"]
        assert told["title_en"]
        assert "unit" in told
        if feature.numeric:
            assert told["minimum"] <= told["maximum"]
    assert model_metadata(about)["name"] == name


@pytest.mark.parametrize("name", NAMES)
def test_a_default_lies_in_its_range(name: str) -> None:
    for feature in open_release([SHIPPED], name).signature.inputs:
        for value in (feature.default, feature.typical):
            if feature.numeric and value is not None:
                assert feature.minimum is not None
                assert feature.maximum is not None
                assert feature.minimum <= value <= feature.maximum
