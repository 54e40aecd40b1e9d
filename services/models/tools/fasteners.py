"""Bolted joints."""

from __future__ import annotations

from math import pi, sqrt

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

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


TENSILE_MPA: dict[str, float] = {"4.8": 420, "5.8": 520, "6.8": 600, "8.8": 800, "9.8": 900, "10.9": 1040, "12.9": 1220}
PROOF_MPA: dict[str, float] = {"4.8": 310, "5.8": 380, "6.8": 440, "8.8": 580, "9.8": 650, "10.9": 830, "12.9": 970}
TENSILE_MPA_LARGE, PROOF_MPA_LARGE = {"8.8": 830.0}, {"8.8": 600.0}
"""Least tensile strength and stress under proof load (ISO 898-1, GB/T 3098.1); class 8.8 above 16 mm."""
SET_COEFFICIENT = (0.110, 0.150)
"""Mean torque coefficient of large-hexagon high-strength sets by GB/T 1231."""
BLOW_RATIO = (2.5, 4.5)
"""Length over diameter up to which one blow, two blows upset wire without buckling; trade experience."""


def torque_coefficient(
    coefficient: float, preload_kn: float, diameter_mm: float, measured_torque_nm: float
) -> ToolAnswer:
    """Tightening torque by the torque coefficient: T = K F d (N m, with kN and mm).

    Arguments: torque coefficient K, wanted preload (kN), nominal diameter (mm), torque measured at that preload (N m; 0
    when none). Returns torque_nm, and measured_coefficient from a test. Raises ValueError.
    Source: definition of the torque coefficient; GB/T 1231 and GB/T 16823.3 (test).
    """
    refuse_unless_positive(
        ("扭矩系数", "the coefficient", coefficient), ("预紧力", "the preload", preload_kn),
        ("直径", "the diameter", diameter_mm),
    )  # fmt: skip
    refuse_if_negative(("实测力矩", "the measured torque", measured_torque_nm))
    torque = coefficient * preload_kn * diameter_mm
    outputs = {"torque_nm": rounded(torque), "nm_per_hundredth": rounded(preload_kn * diameter_mm / 100)}
    zh = f"力矩约 {torque:.1f} N·m；K 每差 0.01，同样预紧力差 {preload_kn * diameter_mm / 100:.1f} N·m。"
    en = f"About {torque:.1f} N·m; 0.01 of K is {preload_kn * diameter_mm / 100:.1f} N·m at the same preload. "
    used = coefficient
    if measured_torque_nm > 0:
        used = measured_torque_nm / (preload_kn * diameter_mm)
        outputs["measured_coefficient"] = rounded(used)
        zh += f"按实测力矩 K = {used:.3f}，"
        en += f"By the measured torque K = {used:.3f}"
        if abs(used / coefficient - 1) > 0.1:
            zh += "与取用值差一成以上：换油、换镀层或换批次后要重测。"
            en += ", more than a tenth off the assumed one: test again after new oil, coating or lot. "
        else:
            zh += "与取用值相符。"
            en += ", as assumed. "
    low, high = SET_COEFFICIENT
    if low <= used <= high:
        zh += f"K 在 GB/T 1231 大六角高强度连接副的 {low:.3f} 到 {high:.3f} 之内；批的标准差还应不大于 0.010。"
        en += (
            f"K lies in the {low:.3f} to {high:.3f} of GB/T 1231 for large-hexagon sets; the lot's deviation "
            "must not exceed 0.010 either."
        )
    else:
        zh += f"GB/T 1231 大六角高强度连接副要求均值 {low:.3f} 到 {high:.3f}，这个 K 不在其内；普通螺栓按试验定。"
        en += (
            f"GB/T 1231 asks {low:.3f} to {high:.3f} of large-hexagon sets, this K lies outside; other bolts "
            "go by test."
        )
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def proof_load(size: str, property_class: str, working_kn: float) -> ToolAnswer:
    """Proof load and least breaking load of a coarse-thread bolt: As Sp and As Rm, As = pi/4 (d - 0.9382 P)^2.

    Arguments: size (M3 to M36), property class, axial working load (kN; 0 when none). Returns proof_kn, breaking_kn,
    stress_area_mm2 and the share of the proof load used (%). Raises ValueError for a class the size does not exist in.
    Source: ISO 898-1 / GB/T 3098.1. Classes 4.6 and 5.6 are not held.
    """
    refuse_if_negative(("工作载荷", "the working load", working_kn))
    diameter, pitch = THREADS[size]
    if property_class == "9.8" and diameter > 16:
        raise ValueError(f"9.8 级只用到 M16，现为 {size}，请选 10.9 级 / class 9.8 ends at M16, got {size}: take 10.9")
    proof, tensile = PROOF_MPA[property_class], TENSILE_MPA[property_class]
    if diameter > 16:
        proof = PROOF_MPA_LARGE.get(property_class, proof)
        tensile = TENSILE_MPA_LARGE.get(property_class, tensile)
    area = pi / 4 * (diameter - 0.9382 * pitch) ** 2
    outputs = {
        "proof_kn": rounded(area * proof / 1000),
        "breaking_kn": rounded(area * tensile / 1000),
        "stress_area_mm2": rounded(area),
        "proof_mpa": proof,
    }
    zh = (
        f"{size} {property_class} 级：保证载荷 {area * proof / 1000:.1f} kN，最小拉断 {area * tensile / 1000:.1f} kN"
        f"（应力截面 {area:.1f} mm²）。"
    )
    en = (
        f"{size} class {property_class}: proof load {area * proof / 1000:.1f} kN, breaks at no less than "
        f"{area * tensile / 1000:.1f} kN (stress area {area:.1f} mm²). "
    )
    if working_kn > 0:
        used = working_kn / (area * proof / 1000) * 100
        outputs["used_percent"] = rounded(used)
        zh += f"工作载荷占 {used:.0f} %" + ("，超过保证载荷，选大一号或高一级。" if used > 100 else "。")
        en += f"The load uses {used:.0f} %" + (", over the proof load: larger or stronger. " if used > 100 else ". ")
    zh += "标准表值已修约，可能差百分之一以内；试验保载后看有无永久伸长。"
    en += (
        "Tables of the standard are rounded, up to about 1 % apart; after the proof test look for permanent elongation."
    )
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def upset_length(head_volume_mm3: float, wire_mm: float) -> ToolAnswer:
    """Wire that a head takes and the blows it needs: L = V / (pi/4 d^2), ratio = L / d.

    Arguments: volume of the head (mm3), diameter of the wire (mm). Returns length_mm, ratio and blows (1, 2, or 3 for
    three and more). Raises ValueError. Source: constant volume; up to about 2.5 one blow and about 4.5 two blows are
    trade experience.
    """
    refuse_unless_positive(("头部体积", "the head's volume", head_volume_mm3), ("线径", "the wire", wire_mm))
    length = head_volume_mm3 / (pi / 4 * wire_mm**2)
    ratio = length / wire_mm
    one, two = BLOW_RATIO
    blows = 1 if ratio <= one else 2 if ratio <= two else 3
    zh = f"需要料长 {length:.1f} mm，镦锻比 {ratio:.2f}："
    en = f"{length:.1f} mm of wire, upset ratio {ratio:.2f}: "
    zh += ("一次镦锻可成。", "要两次镦锻（先锥后形）。", "要三次以上，或换粗线、加热镦。")[blows - 1]
    en += ("one blow will do. ", "two blows (cone, then form). ", "three or more, thicker wire, or hot upsetting. ")[
        blows - 1
    ]
    zh += f"界线约 {one:g} 和 {two:g}（行业经验），贴线时看线材和模具间隙试打；料长不含切边和飞边。"
    en += (
        f"The lines at about {one:g} and {two:g} are trade experience: try it near them. Trim and flash are "
        "not in the length."
    )
    return ToolAnswer(
        {"length_mm": rounded(length), "ratio": rounded(ratio), "blows": blows}, ({"zh": zh, "en": en.strip()},)
    )
