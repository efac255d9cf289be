"""The SunSpec models of the 700 series that a virtual device serves, as data, from the published tables."""

from __future__ import annotations

from orchestrator.simulation.devices.sunspec.model import HEADER_WORDS, Model, Row, lay_out, model, named
from orchestrator.simulation.devices.sunspec.words import (
    BITS16,
    BITS32,
    COUNT,
    ENUM16,
    INT16,
    INT32,
    SCALE,
    TEXT,
    UINT16,
    UINT32,
    UINT64,
)


def _energies(*names: str) -> tuple[Row, ...]:
    """Injected and absorbed energy, active and reactive."""
    return tuple(
        (f"Tot{kind}h{way}{name}", UINT64, f"Tot{kind}h_SF")
        for name in names
        for kind in ("W", "Var")
        for way in ("Inj", "Abs")
    )


def _phase(name: str, line: str) -> tuple[Row, ...]:
    return (
        *((f"{point}{name}", INT16, f"{point}_SF") for point in ("W", "VA", "Var", "PF", "A")),
        *named(UINT16, "V_SF", f"V{name}{line}", f"V{name}"),
        *_energies(name),
    )


MEASURE_AC = model(
    701,
    153,
    (
        *((name, ENUM16) for name in ("ACType", "St", "InvSt", "ConnSt")),
        *((name, BITS32) for name in ("Alrm", "DERMode")),
        *((point, INT16, f"{point}_SF") for point in ("W", "VA", "Var", "PF", "A")),
        *named(UINT16, "V_SF", "LLV", "LNV"),
        ("Hz", UINT32, "Hz_SF"),
        *_energies(""),
        *named(INT16, "Tmp_SF", "TmpAmb", "TmpCab", "TmpSnk", "TmpTrns", "TmpSw", "TmpOt"),
        *_phase("L1", "L2"),
        *_phase("L2", "L3"),
        *_phase("L3", "L1"),
        ("ThrotPct", UINT16),
        ("ThrotSrc", BITS32),
        *((name, SCALE) for name in ("A_SF", "V_SF", "Hz_SF", "W_SF", "PF_SF", "VA_SF", "Var_SF")),
        *((name, SCALE) for name in ("TotWh_SF", "TotVarh_SF", "Tmp_SF")),
        ("MnAlrmInfo", TEXT[32]),
    ),
)

CAPACITY = model(
    702,
    50,
    (
        *(("WMaxRtg", UINT16, "W_SF"), ("WOvrExtRtg", UINT16, "W_SF"), ("WOvrExtRtgPF", UINT16, "PF_SF")),
        *(("WUndExtRtg", UINT16, "W_SF"), ("WUndExtRtgPF", UINT16, "PF_SF"), ("VAMaxRtg", UINT16, "VA_SF")),
        *named(UINT16, "Var_SF", "VarMaxInjRtg", "VarMaxAbsRtg"),
        *named(UINT16, "W_SF", "WChaRteMaxRtg", "WDisChaRteMaxRtg"),
        *named(UINT16, "VA_SF", "VAChaRteMaxRtg", "VADisChaRteMaxRtg"),
        *named(UINT16, "V_SF", "VNomRtg", "VMaxRtg", "VMinRtg"),
        ("AMaxRtg", UINT16, "A_SF"),
        *named(UINT16, "PF_SF", "PFOvrExtRtg", "PFUndExtRtg"),
        ("ReactSusceptRtg", UINT16, "S_SF"),
        *(("NorOpCatRtg", ENUM16), ("AbnOpCatRtg", ENUM16), ("CtrlModes", BITS32), ("IntIslandCatRtg", BITS16)),
        *(("WMax", UINT16, "W_SF"), ("WMaxOvrExt", UINT16, "W_SF"), ("WOvrExtPF", UINT16, "PF_SF")),
        *(("WMaxUndExt", UINT16, "W_SF"), ("WUndExtPF", UINT16, "PF_SF"), ("VAMax", UINT16, "VA_SF")),
        *named(UINT16, "Var_SF", "VarMaxInj", "VarMaxAbs"),
        *named(UINT16, "W_SF", "WChaRteMax", "WDisChaRteMax"),
        *named(UINT16, "VA_SF", "VAChaRteMax", "VADisChaRteMax"),
        *named(UINT16, "V_SF", "VNom", "VMax", "VMin"),
        ("AMax", UINT16, "A_SF"),
        *named(UINT16, "PF_SF", "PFOvrExt", "PFUndExt"),
        ("IntIslandCat", BITS16),
        *((name, SCALE) for name in ("W_SF", "PF_SF", "VA_SF", "Var_SF", "V_SF", "A_SF", "S_SF")),
    ),
)


def _power_factor(name: str) -> tuple[Row, ...]:
    return ((f"{name}.PF", UINT16, "PF_SF"), (f"{name}.Ext", ENUM16))


CONTROLS = model(
    704,
    65,
    (
        *(("PFWInjEna", ENUM16), ("PFWInjEnaRvrt", ENUM16), ("PFWInjRvrtTms", UINT32), ("PFWInjRvrtRem", UINT32)),
        *(("PFWAbsEna", ENUM16), ("PFWAbsEnaRvrt", ENUM16), ("PFWAbsRvrtTms", UINT32), ("PFWAbsRvrtRem", UINT32)),
        ("WMaxLimPctEna", ENUM16),
        *named(UINT16, "WMaxLimPct_SF", "WMaxLimPct", "WMaxLimPctRvrt"),
        *(("WMaxLimPctEnaRvrt", ENUM16), ("WMaxLimPctRvrtTms", UINT32), ("WMaxLimPctRvrtRem", UINT32)),
        *(("WSetEna", ENUM16), ("WSetMod", ENUM16)),
        *named(INT32, "WSet_SF", "WSet", "WSetRvrt"),
        *named(INT16, "WSetPct_SF", "WSetPct", "WSetPctRvrt"),
        *(("WSetEnaRvrt", ENUM16), ("WSetRvrtTms", UINT32), ("WSetRvrtRem", UINT32)),
        *(("VarSetEna", ENUM16), ("VarSetMod", ENUM16), ("VarSetPri", ENUM16)),
        *named(INT32, "VarSet_SF", "VarSet", "VarSetRvrt"),
        *named(INT16, "VarSetPct_SF", "VarSetPct", "VarSetPctRvrt"),
        *(("VarSetEnaRvrt", ENUM16), ("VarSetRvrtTms", UINT32), ("VarSetRvrtRem", UINT32)),
        *(("WRmp", UINT16), ("WRmpRef", ENUM16), ("VarRmp", UINT16), ("AntiIslEna", ENUM16)),
        *((name, SCALE) for name in ("PF_SF", "WMaxLimPct_SF", "WSet_SF", "WSetPct_SF", "VarSet_SF", "VarSetPct_SF")),
        *_power_factor("PFWInj"),
        *_power_factor("PFWInjRvrt"),
        *_power_factor("PFWAbs"),
        *_power_factor("PFWAbsRvrt"),
    ),
)

STORAGE_CAPACITY = model(
    713,
    7,
    (
        *named(UINT16, "WH_SF", "WHRtg", "WHAvail"),
        *named(UINT16, "Pct_SF", "SoC", "SoH"),
        ("Sta", ENUM16),
        *(("WH_SF", SCALE), ("Pct_SF", SCALE)),
    ),
)

MEASURE_DC_FIXED = model(
    714,
    18,
    (
        *(("PrtAlrms", BITS32), ("NPrt", COUNT), ("DCA", INT16, "DCA_SF"), ("DCW", INT16, "DCW_SF")),
        *named(UINT64, "DCWH_SF", "DCWhInj", "DCWhAbs"),
        *((name, SCALE) for name in ("DCA_SF", "DCV_SF", "DCW_SF", "DCWH_SF", "Tmp_SF")),
    ),
)
DC_PORT: tuple[Row, ...] = (
    ("PrtTyp", ENUM16),
    ("ID", UINT16),
    ("IDStr", TEXT[8]),
    ("DCA", INT16, "DCA_SF"),
    ("DCV", UINT16, "DCV_SF"),
    ("DCW", INT16, "DCW_SF"),
    *named(UINT64, "DCWH_SF", "DCWhInj", "DCWhAbs"),
    ("Tmp", INT16, "Tmp_SF"),
    ("DCSta", ENUM16),
    ("DCAlrm", BITS32),
)


def measure_dc(ports: int) -> Model:
    """Model 714 with so many ports; their points are named `0.DCW`, `1.DCW` and so on."""
    rows = tuple((f"{index}.{row[0]}", *row[1:]) for index in range(ports) for row in DC_PORT)
    port_points = lay_out(rows, HEADER_WORDS + MEASURE_DC_FIXED.length)
    return Model(714, MEASURE_DC_FIXED.length + 25 * ports, MEASURE_DC_FIXED.points + port_points)
