"""Wood: moisture that follows the air, time in the press, air speed in dust ducts."""

from __future__ import annotations

from math import pi, sqrt

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

DUCT_M_S = (20.0, 25.0)
"""Air speed that carries wood dust; trade experience."""
AIR_KG_M3 = 1.2
MDF_S_MM = (5.0, 15.0)
"""Pressing factor of modern MDF; plywood is slower. Trade experience."""


def equilibrium_moisture(temperature_c: float, relative_humidity: float) -> float:
    """Moisture (%) of wood in air, Hailwood-Horrobin with the constants of the USDA Wood Handbook (°C, share)."""
    t, h = temperature_c, relative_humidity
    w = 349 + 1.29 * t + 0.0135 * t**2
    k = 0.805 + 0.000736 * t - 0.00000273 * t**2
    k1 = 6.27 - 0.00938 * t - 0.000303 * t**2
    k2 = 1.91 + 0.0407 * t - 0.000293 * t**2
    kh = k * h
    return 1800 / w * (kh / (1 - kh) + (k1 * kh + 2 * k1 * k2 * kh**2) / (1 + k1 * kh + k1 * k2 * kh**2))


def wood_emc(temperature_c: float, relative_humidity: float, measured_percent: float) -> ToolAnswer:
    """Equilibrium moisture of wood in air of a temperature and humidity.

    Arguments: air temperature (degC, -10 to 90), relative humidity (share), moisture measured in the wood (%; 0 when
    none). Returns emc_percent, the equilibrium five points of humidity drier and damper, and how far the wood is off
    (points). Raises ValueError outside the range of the formula.
    Source: Hailwood-Horrobin, USDA Wood Handbook.
    """
    if not -10 <= temperature_c <= 90:
        raise ValueError(
            f"公式适用 -10 到 90 ℃，现为 {temperature_c:g} ℃"
            f" / the formula holds from -10 to 90 °C, got {temperature_c:g}"
        )
    if not 0 < relative_humidity < 1:
        raise ValueError(
            f"相对湿度按小数填，应在 0 到 1 之间（65 % 填 0.65），现为 {relative_humidity:g}"
            f" / humidity is a share between 0 and 1 (0.65 for 65 %), got {relative_humidity:g}"
        )
    refuse_if_negative(("实测含水率", "the measured moisture", measured_percent))
    emc = equilibrium_moisture(temperature_c, relative_humidity)
    drier = equilibrium_moisture(temperature_c, max(0.01, relative_humidity - 0.05))
    damper = equilibrium_moisture(temperature_c, min(0.99, relative_humidity + 0.05))
    outputs = {
        "emc_percent": rounded(emc),
        "emc_5_points_drier_percent": rounded(drier),
        "emc_5_points_damper_percent": rounded(damper),
    }
    zh = f"平衡含水率 {emc:.1f} %；湿度低 5 个点是 {drier:.1f} %，高 5 个点是 {damper:.1f} %。"
    en = (
        f"Equilibrium moisture {emc:.1f} %; {drier:.1f} % with five points less humidity, {damper:.1f} % with "
        "five more. "
    )
    if measured_percent > 0:
        off = measured_percent - emc
        outputs["off_points"] = rounded(off)
        if abs(off) <= 1:
            zh += f"木材 {measured_percent:g} %，与环境差 {off:+.1f} 个点，基本平衡（±1 个点，行业经验）。"
            en += (
                f"The wood at {measured_percent:g} % is {off:+.1f} points off, nearly in balance (1 point, "
                "trade experience)."
            )
        elif off > 0:
            zh += f"木材 {measured_percent:g} %，比环境高 {off:.1f} 个点：会往下干，注意收缩、开裂，先养生再精加工。"
            en += (
                f"The wood at {measured_percent:g} % is {off:.1f} points wetter: it will shrink and may crack, "
                "condition it first."
            )
        else:
            zh += f"木材 {measured_percent:g} %，比环境低 {-off:.1f} 个点：会吸湿胀起，先调湿或控制车间湿度。"
            en += (
                f"The wood at {measured_percent:g} % is {-off:.1f} points drier: it will swell, condition it "
                "or dry the room."
            )
    else:
        zh += "按使用地的温湿度算出目标，再倒推出窑线。"
        en += "Compute it for the place of use, then work back to the kiln."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def press_time(
    thickness_mm: float, factor_s_mm: float, handling_s: float, openings: float, board_m2: float
) -> ToolAnswer:
    """Time in the hot press: t = thickness times factor, and the boards that makes.

    Arguments: board thickness (mm), pressing factor (s/mm), time to load, close, vent and unload (s), openings of the
    press, area of a board (m2; 0 when volume is not wanted). Returns press_s, cycle_s, boards_per_h and m3_per_h.
    Raises ValueError. Source: rule of panel making; the factor comes from glue, moisture and plate temperature.
    """
    refuse_unless_positive(
        ("板厚", "the thickness", thickness_mm),
        ("热压系数", "the factor", factor_s_mm),
        ("层数", "the openings", openings),
    )
    refuse_if_negative(("辅助时间", "the handling time", handling_s), ("板面积", "the board area", board_m2))
    pressing = thickness_mm * factor_s_mm
    cycle = pressing + handling_s
    boards = 3600 / cycle * openings
    outputs = {"press_s": rounded(pressing), "cycle_s": rounded(cycle), "boards_per_h": rounded(boards)}
    if board_m2 > 0:
        outputs["m3_per_h"] = rounded(boards * board_m2 * thickness_mm / 1000)
    low, high = MDF_S_MM
    zh = f"热压 {pressing:.0f} s，一个周期 {cycle:.0f} s，每小时约 {boards:.1f} 张。"
    en = f"{pressing:.0f} s in the press, a cycle of {cycle:.0f} s, about {boards:.1f} boards an hour. "
    if factor_s_mm < low:
        zh += f"系数低于现代纤维板常用的 {low:g} 到 {high:g} s/mm（行业经验）：剖板看胶层，防开胶。"
        en += (
            f"The factor is below the {low:g} to {high:g} s/mm of modern MDF (trade experience): cut boards "
            "open, check the glue. "
        )
    elif factor_s_mm > high:
        zh += f"系数高于现代纤维板常用的 {low:g} 到 {high:g} s/mm（行业经验），胶合板本来较慢；先查板温、含水率和胶的固化速度。"
        en += (
            f"The factor is above the {low:g} to {high:g} s/mm of modern MDF (trade experience; plywood is "
            "slower): check plates, moisture, glue. "
        )
    else:
        zh += f"系数在现代纤维板常用的 {low:g} 到 {high:g} s/mm 之内（行业经验）。"
        en += f"The factor is within the {low:g} to {high:g} s/mm of modern MDF (trade experience). "
    zh += "用埋在中间胶层的热电偶确认，一次只减 5 %；鼓泡时先改卸压，不要只加时间。"
    en += "Confirm by a thermocouple in the middle glue line, cut 5 % at a time; on blisters change the venting first."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def duct_speed(flow_m3_h: float, diameter_mm: float) -> ToolAnswer:
    """Air speed in a round dust duct: v = q / 3600 / (pi/4 d^2).

    Arguments: air flow (m3/h), inner diameter (mm). Returns speed_m_s, the flow this duct needs for 20 m/s (m3/h), the
    largest diameter that still gives 20 m/s (mm) and the dynamic pressure (Pa, air of 1.2 kg/m3). Raises ValueError.
    Source: continuity; 20 to 25 m/s for wood dust is trade experience. GB 15577 for the duties of explosion safety.
    """
    refuse_unless_positive(("风量", "the flow", flow_m3_h), ("管径", "the diameter", diameter_mm))
    area = pi / 4 * (diameter_mm / 1000) ** 2
    speed = flow_m3_h / 3600 / area
    low, high = DUCT_M_S
    needed = low * area * 3600
    widest = sqrt(flow_m3_h / 3600 / low / (pi / 4)) * 1000
    outputs = {
        "speed_m_s": rounded(speed),
        "flow_for_20_m_s_m3_h": rounded(needed),
        "largest_diameter_mm": rounded(widest),
        "dynamic_pressure_pa": rounded(AIR_KG_M3 / 2 * speed**2),
    }
    zh, en = f"风速 {speed:.1f} m/s，", f"{speed:.1f} m/s, "
    if speed < low:
        zh += (
            f"低于木粉尘常用的 {low:.0f} 到 {high:.0f} m/s（行业经验）：会沉灰，有粉尘爆炸危险。"
            f"这根管要 {needed:.0f} m³/h，或改用 {widest:.0f} mm 以下的管。"
        )
        en += (
            f"below the {low:.0f} to {high:.0f} m/s for wood dust (trade experience): dust settles, which is an "
            f"explosion hazard. The duct needs {needed:.0f} m³/h, or a diameter below {widest:.0f} mm."
        )
    elif speed > high:
        zh += f"高于常用的 {low:.0f} 到 {high:.0f} m/s（行业经验）：不沉灰，但阻力按风速平方涨，可查能否降风量省电。"
        en += (
            f"above the usual {low:.0f} to {high:.0f} m/s (trade experience): nothing settles, but the resistance goes "
            "with the square of the speed, see whether the flow can be cut."
        )
    else:
        zh += f"在木粉尘常用的 {low:.0f} 到 {high:.0f} m/s 之内（行业经验）；按风量最小的工况再算一次。"
        en += (
            f"within the {low:.0f} to {high:.0f} m/s for wood dust (trade experience); compute the state of "
            "least flow too."
        )
    zh += "防爆要求按 GB 15577 核对。"
    en += " Check the explosion duties of GB 15577."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))
