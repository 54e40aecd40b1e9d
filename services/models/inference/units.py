"""Units of one kind are converted, units of another kind refused with both named. Knows no numpy."""

from __future__ import annotations

import unicodedata

_KINDS: dict[str, dict[str, tuple[float, float]]] = {
    "power": {"W": (0.001, 0), "kW": (1, 0), "MW": (1000, 0)},
    "energy": {"kWh": (1, 0), "MWh": (1000, 0), "MJ": (1 / 3.6, 0), "GJ": (1000 / 3.6, 0)},
    "mass": {"g": (0.001, 0), "kg": (1, 0), "t": (1000, 0)},
    "mass flow": {"kg/h": (1, 0), "t/h": (1000, 0), "kg/min": (60, 0), "kg/s": (3600, 0)},
    "temperature": {
        "°C": (1, 0),
        "degC": (1, 0),
        "K": (1, -273.15),
        "°F": (5 / 9, -160 / 9),
        "degF": (5 / 9, -160 / 9),
    },
    "length": {"mm": (1, 0), "cm": (10, 0), "m": (1000, 0), "um": (0.001, 0), "μm": (0.001, 0)},
    "volume": {"m3": (1, 0), "L": (0.001, 0)},
    "torque": {"N·m": (1, 0), "N.m": (1, 0), "Nm": (1, 0), "kN·m": (1000, 0)},
    "force": {"N": (0.001, 0), "kN": (1, 0)},
    "ratio": {"kg/kg": (1, 0), "g/g": (1, 0), "g/kg": (0.001, 0), "%": (0.01, 0)},
    "coal equivalent": {"kgce": (1, 0), "tce": (1000, 0)},
}
"""Kind -> unit -> (factor, offset) to the kind's own unit: own = value * factor + offset."""
_KNOWN = {unit: (kind, *numbers) for kind, units in _KINDS.items() for unit, numbers in units.items()}


class OtherKind(ValueError):
    """Two units between which nothing can be converted."""


def converter(given: str, wanted: str) -> tuple[float, float]:
    """Factor and offset that turn a value in `given` into one in `wanted`. Raises `OtherKind` naming both."""
    plain_given, plain_wanted = _plain(given), _plain(wanted)
    if plain_given == plain_wanted:
        return 1.0, 0.0
    known_given, known_wanted = _KNOWN.get(plain_given), _KNOWN.get(plain_wanted)
    if known_given is None or known_wanted is None or known_given[0] != known_wanted[0]:
        said = wanted or "无单位 / none"
        raise OtherKind(f"单位「{given[:20]}」不能换算成「{said}」 / cannot be converted to {said}")
    _, factor, offset = known_given
    _, own_factor, own_offset = known_wanted
    return factor / own_factor, (offset - own_offset) / own_factor


def _plain(unit: str) -> str:
    text = unicodedata.normalize("NFKC", unit).strip()
    return "" if text in ("", "1", "-") else text
