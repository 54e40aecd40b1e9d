"""`train NAME`: makes a shipped model's release folder from its data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.models.training import (
    ai4i_maintenance,
    gas_turbine,
    steel_energy,
    steel_energy_15min,
    steel_plate_faults,
)
from services.models.training.export import Made, write_release

MAKERS: dict[str, Callable[[Path], Made]] = {
    "ai4i-maintenance": ai4i_maintenance.make,
    "gas-turbine-co": gas_turbine.make_co,
    "gas-turbine-yield": gas_turbine.make_yield,
    "steel-energy": steel_energy.make,
    "steel-energy-15min": steel_energy_15min.make,
    "steel-plate-faults": steel_plate_faults.make,
}


def make(name: str, data_dir: Path, components: Path) -> Path:
    """Trains `name` on the data under `data_dir` and writes its release under `components`. Raises KeyError."""
    return write_release(components / name, MAKERS[name](data_dir))
