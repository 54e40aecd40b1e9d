"""Properties of steam: the saturated table, and the enthalpy of superheated steam."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import log

from services.models.tools.thermal import WATER_KJ_KG_K

SATURATED: tuple[tuple[float, float, float, float], ...] = (
    (0.1, 99.6, 417, 2675), (0.2, 120.2, 505, 2706), (0.3, 133.5, 561, 2725), (0.4, 143.6, 605, 2738),
    (0.5, 151.8, 640, 2748), (0.6, 158.8, 670, 2756), (0.8, 170.4, 721, 2768), (1.0, 179.9, 763, 2777),
    (1.2, 188.0, 798, 2784), (1.6, 201.4, 859, 2793), (2.0, 212.4, 909, 2798),
)  # fmt: skip
"""Absolute pressure (MPa), temperature (degC), enthalpy of water and of vapour (kJ/kg); IAPWS-IF97, rounded."""
LOWEST_MPA, HIGHEST_MPA = SATURATED[0][0], SATURATED[-1][0]
GAUGE_MPA = 0.1
"""What a gauge leaves out: absolute pressure = gauge pressure + 0.1 MPa."""
HOTTEST_C = 450.0
"""Highest temperature of steam that the tools take."""

_GAS_CONSTANT_KJ_KG_K = 0.461526
_IDEAL: tuple[tuple[int, float], ...] = (
    (0, -9.6927686500217), (1, 10.086655968018), (-5, -0.005608791128302), (-4, 0.071452738081455),
    (-3, -0.40710498223928), (-2, 1.4240819171444), (-1, -4.383951131945), (2, -0.28408632460772),
    (3, 0.021268463753307),
)  # fmt: skip
"""Exponent and coefficient of the ideal part of region 2, IAPWS-IF97."""
_RESIDUAL: tuple[tuple[int, int, float], ...] = (
    (1, 0, -0.0017731742473213), (1, 1, -0.017834862292358), (1, 2, -0.045996013696365), (1, 3, -0.057581259083432),
    (1, 6, -0.05032527872793), (2, 1, -3.3032641670203e-05), (2, 2, -0.00018948987516315), (2, 4, -0.0039392777243355),
    (2, 7, -0.043797295650573), (2, 36, -2.6674547914087e-05), (3, 0, 2.0481737692309e-08), (3, 1, 4.3870667284435e-07),
    (3, 3, -3.227767723857e-05), (3, 6, -0.0015033924542148), (3, 35, -0.040668253562649), (4, 1, -7.8847309559367e-10),
    (4, 2, 1.2790717852285e-08), (4, 3, 4.8225372718507e-07), (5, 7, 2.2922076337661e-06), (6, 3, -1.6714766451061e-11),
    (6, 16, -0.0021171472321355), (6, 35, -23.895741934104), (7, 0, -5.905956432427e-18), (7, 11, -1.2621808899101e-06),
    (7, 25, -0.038946842435739), (8, 8, 1.1256211360459e-11), (8, 36, -8.2311340897998), (9, 13, 1.9809712802088e-08),
    (10, 4, 1.0406965210174e-19), (10, 10, -1.0234747095929e-13), (10, 14, -1.0018179379511e-09),
    (16, 29, -8.0882908646985e-11), (16, 50, 0.10693031879409), (18, 57, -0.33662250574171),
    (20, 20, 8.9185845355421e-25), (20, 35, 3.0629316876232e-13), (20, 48, -4.2002467698208e-06),
    (21, 21, -5.9056029685639e-26), (22, 53, 3.7826947613457e-06), (23, 39, -1.2768608934681e-15),
    (24, 26, 7.3087610595061e-29), (24, 40, 5.5414715350778e-17), (24, 58, -9.436970724121e-07),
)  # fmt: skip
"""Exponents of pressure and temperature and coefficient of the residual part of region 2, IAPWS-IF97."""


@dataclass(frozen=True)
class Saturated:
    temperature_c: float
    water_kj_kg: float
    vapour_kj_kg: float

    @property
    def evaporation_kj_kg(self) -> float:
        return self.vapour_kj_kg - self.water_kj_kg


def saturated(pressure_mpa: float) -> Saturated:
    """Saturated water and steam at an absolute pressure (MPa): exactly the table on its points, between them linear in
    the logarithm of pressure, which is within 0.5 kJ/kg of IAPWS-IF97 for vapour, 1.5 kJ/kg for water and 0.4 degC.
    Raises ValueError outside the table."""
    if not LOWEST_MPA <= pressure_mpa <= HIGHEST_MPA:
        raise ValueError(
            f"饱和蒸汽表为绝对压力 {LOWEST_MPA:g} 到 {HIGHEST_MPA:g} MPa，现为 {pressure_mpa:g}；表压要加 {GAUGE_MPA:g} MPa"
            f" / the steam table runs from {LOWEST_MPA:g} to {HIGHEST_MPA:g} MPa absolute, got {pressure_mpa:g}; add "
            f"{GAUGE_MPA:g} MPa to a gauge reading"
        )
    place = min(bisect_right(SATURATED, pressure_mpa, key=lambda row: row[0]), len(SATURATED) - 1)
    below, above = SATURATED[place - 1], SATURATED[place]
    if pressure_mpa in (below[0], above[0]):
        return Saturated(*(below if pressure_mpa == below[0] else above)[1:])
    share = log(pressure_mpa / below[0]) / log(above[0] / below[0])
    return Saturated(*(low + share * (high - low) for low, high in zip(below[1:], above[1:], strict=True)))


def superheated_kj_kg(pressure_mpa: float, temperature_c: float) -> float:
    """Enthalpy (kJ/kg) of superheated steam, h = R T tau (dg0/dtau + dgr/dtau) with tau = 540 K / T.

    Arguments: absolute pressure (MPa), temperature (degC). Source: IAPWS-IF97, region 2, equations 15 to 17.
    """
    kelvin = temperature_c + 273.15
    tau = 540 / kelvin
    ideal = sum(n * j * tau ** (j - 1) for j, n in _IDEAL)
    residual = sum(n * pressure_mpa**i * j * (tau - 0.5) ** (j - 1) for i, j, n in _RESIDUAL if j)
    return _GAS_CONSTANT_KJ_KG_K * kelvin * tau * (ideal + residual)


def steam_kj_kg(pressure_mpa: float, temperature_c: float) -> float:
    """Enthalpy of steam: saturated by the table when the temperature is 0 (not given), else superheated. Raises
    ValueError for a temperature below saturation, where there is no steam, or above 450 degC."""
    state = saturated(pressure_mpa)
    if temperature_c == 0:
        return state.vapour_kj_kg
    if not state.temperature_c <= temperature_c <= HOTTEST_C:
        raise ValueError(
            f"绝对压力 {pressure_mpa:g} MPa 的蒸汽温度应在 {state.temperature_c:.1f}（饱和）到 {HOTTEST_C:g} ℃ 之间，"
            f"现为 {temperature_c:g}；饱和蒸汽填 0"
            f" / steam at {pressure_mpa:g} MPa absolute is between {state.temperature_c:.1f} (saturated) and "
            f"{HOTTEST_C:g} °C, got {temperature_c:g}; give 0 for saturated steam"
        )
    return superheated_kj_kg(pressure_mpa, temperature_c)


def water_kj_kg(temperature_c: float, pressure_mpa: float) -> float:
    """Enthalpy of feed water, 4.187 kJ/(kg K) from 0 degC. Raises ValueError for water that would boil at the absolute
    pressure (MPa) or be ice."""
    boiling = saturated(pressure_mpa).temperature_c
    if not 0 <= temperature_c < boiling:
        raise ValueError(
            f"给水温度应在 0 到 {boiling:.1f} ℃（该压力下的饱和温度）之间，现为 {temperature_c:g}"
            f" / the feed water must be between 0 and {boiling:.1f} °C, where it boils at this pressure, got "
            f"{temperature_c:g}"
        )
    return WATER_KJ_KG_K * temperature_c
