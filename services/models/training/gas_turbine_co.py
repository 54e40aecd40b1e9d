"""gas-turbine-co: its part of `gas_turbine`, under the component's own name."""

from __future__ import annotations

from pathlib import Path

from services.models.training import gas_turbine
from services.models.training.gas_turbine import Floats


def read(path: Path, _history: Path | None = None) -> tuple[Floats, Floats]:
    """(n, features) and (n,) of one year's file."""
    return gas_turbine.read(gas_turbine.TASKS["gas-turbine-co"], path)
