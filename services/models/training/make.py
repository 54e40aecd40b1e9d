"""`train NAME`: makes a shipped model's release folder from its data set."""

from __future__ import annotations

from pathlib import Path

from services.models.training import steel_energy, steel_plate_faults
from services.models.training.export import write_release

MAKERS = {"steel-energy": steel_energy.make, "steel-plate-faults": steel_plate_faults.make}


def make(name: str, data_dir: Path, components: Path) -> Path:
    """Trains `name` on the data under `data_dir` and writes its release under `components`. Raises KeyError."""
    return write_release(components / name, MAKERS[name](data_dir))
