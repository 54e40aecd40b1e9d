"""Bolted joints."""

from __future__ import annotations

from math import pi, sqrt

from services.models.tools.answer import ToolAnswer, rounded

THREADS: dict[str, tuple[float, float]] = {
    "M3": (3, 0.5), "M4": (4, 0.7), "M5": (5, 0.8), "M6": (6, 1.0), "M8": (8, 1.25), "M10": (10, 1.5),
    "M12": (12, 1.75), "M14": (14, 2.0), "M16": (16, 2.0), "M18": (18, 2.5), "M20": (20, 2.5), "M22": (22, 2.5),
    "M24": (24, 3.0), "M27": (27, 3.0), "M30": (30, 3.5), "M36": (36, 4.0),
}  # fmt: skip
"""Coarse threads: diameter and pitch in mm."""
YIELD_MPA: dict[str, float] = {"4.8": 340, "5.8": 420, "6.8": 480, "8.8": 640, "9.8": 720, "10.9": 940, "12.9": 1100}
"""Yield or 0.2 % proof stress by property class (ISO 898-1, GB/T 3098.1)."""
YIELD_MPA_LARGE = {"8.8": 660.0}
"""Class 8.8 above 16 mm."""


def bolt_preload(
    size: str,
    property_class: str,
    utilisation: float,
    thread_friction: float,
    head_friction: float,
    bearing_diameter_mm: float,
    hole_diameter_mm: float,
) -> ToolAnswer:
    """Assembly preload and tightening torque of a bolt with coarse thread.

    d2 = d - 0.6495 P, d3 = d - 1.2269 P, d0 = (d2 + d3) / 2, A0 = pi/4 d0^2
    F = A0 nu Rp / sqrt(1 + 3 (3/2 d2/d0 (P / (pi d2) + 1.155 mu_g))^2)
    M = F (0.16 P + 0.58 d2 mu_g + (dw + dh) / 4 mu_k)

    Arguments: size (M3 to M36), property class, share of the yield stress used (0.9 is usual), friction in thread and
    under the head, outer bearing and hole diameter (mm; 0 takes 1.383 d and 1.125 d, the proportions of M12). Returns
    preload_kn, torque_nm and the cross-section. Raises ValueError for bearing faces that cannot be.
    Source: VDI 2230-1 (method); ISO 898-1 / GB/T 3098.1 (strength).
    """
    diameter, pitch = THREADS[size]
    strength = YIELD_MPA[property_class]
    if diameter > 16:
        strength = YIELD_MPA_LARGE.get(property_class, strength)
    bearing = bearing_diameter_mm or 1.383 * diameter
    hole = hole_diameter_mm or 1.125 * diameter
    if not diameter < hole < bearing:
        raise ValueError(
            f"应有 螺栓直径 {diameter:g} < 孔径 {hole:g} < 支承面外径 {bearing:g} mm"
            " / must hold: bolt < hole < bearing face"
        )
    d2, d3 = diameter - 0.6495 * pitch, diameter - 1.2269 * pitch
    d0 = (d2 + d3) / 2
    area = pi / 4 * d0**2
    twist = 1.5 * d2 / d0 * (pitch / (pi * d2) + 1.155 * thread_friction)
    preload = area * utilisation * strength / sqrt(1 + 3 * twist**2)
    torque = preload * (0.16 * pitch + 0.58 * d2 * thread_friction + (bearing + hole) / 4 * head_friction) / 1000
    outputs = {
        "torque_nm": rounded(torque),
        "preload_kn": rounded(preload / 1000),
        "yield_mpa": strength,
        "section_mm2": rounded(area),
    }
    note = {
        "zh": f"{size} {property_class} 级：预紧力约 {preload / 1000:.1f} kN，拧紧力矩约 {torque:.1f} N·m。"
        "摩擦系数决定结果，先用拧紧试验确认；重要连接用扭矩加转角或测力复核。",
        "en": f"{size} class {property_class}: preload about {preload / 1000:.1f} kN, torque about {torque:.1f} N·m. "
        "Friction decides the result: confirm it by a tightening test.",
    }
    return ToolAnswer(outputs, (note,))
