"""The SunSpec models that the virtual devices serve, as data: every point in its order, from the published tables.

A row is (name, kind) or (name, kind, name of its scale factor). Offsets follow from the order; the number after the id
is the published L, which the rows must fill exactly.
"""

from __future__ import annotations

from orchestrator.simulation.devices.sunspec.model import HEADER_WORDS, Model, Row, lay_out, model, named, per_phase
from orchestrator.simulation.devices.sunspec.words import (
    ACC32,
    ACC64,
    BITS16,
    BITS32,
    COUNT,
    ENUM16,
    INT16,
    PAD,
    SCALE,
    TEXT,
    UINT16,
    UINT32,
)

COMMON = model(
    1,
    66,
    (
        ("Mn", TEXT[16]),
        ("Md", TEXT[16]),
        ("Opt", TEXT[8]),
        ("Vr", TEXT[8]),
        ("SN", TEXT[16]),
        ("DA", UINT16),
        ("Pad", PAD),
    ),
)
COMMON_WITHOUT_PAD = Model(1, 65, COMMON.points[:-1])
"""Fronius and SolarEdge send model 1 with L 65."""

INVERTER = model(
    103,
    50,
    (
        *named(UINT16, "A_SF", "A", "AphA", "AphB", "AphC"),
        ("A_SF", SCALE),
        *named(UINT16, "V_SF", "PPVphAB", "PPVphBC", "PPVphCA", "PhVphA", "PhVphB", "PhVphC"),
        ("V_SF", SCALE),
        ("W", INT16, "W_SF"),
        ("W_SF", SCALE),
        ("Hz", UINT16, "Hz_SF"),
        ("Hz_SF", SCALE),
        ("VA", INT16, "VA_SF"),
        ("VA_SF", SCALE),
        ("VAr", INT16, "VAr_SF"),
        ("VAr_SF", SCALE),
        ("PF", INT16, "PF_SF"),
        ("PF_SF", SCALE),
        ("WH", ACC32, "WH_SF"),
        ("WH_SF", SCALE),
        ("DCA", UINT16, "DCA_SF"),
        ("DCA_SF", SCALE),
        ("DCV", UINT16, "DCV_SF"),
        ("DCV_SF", SCALE),
        ("DCW", INT16, "DCW_SF"),
        ("DCW_SF", SCALE),
        *named(INT16, "Tmp_SF", "TmpCab", "TmpSnk", "TmpTrns", "TmpOt"),
        ("Tmp_SF", SCALE),
        ("St", ENUM16),
        ("StVnd", ENUM16),
        ("Evt1", BITS32),
        ("Evt2", BITS32),
        ("EvtVnd1", BITS32),
        ("EvtVnd2", BITS32),
        ("EvtVnd3", BITS32),
        ("EvtVnd4", BITS32),
    ),
)

NAMEPLATE = model(
    120,
    26,
    (
        ("DERTyp", ENUM16),
        ("WRtg", UINT16, "WRtg_SF"),
        ("WRtg_SF", SCALE),
        ("VARtg", UINT16, "VARtg_SF"),
        ("VARtg_SF", SCALE),
        *named(INT16, "VArRtg_SF", "VArRtgQ1", "VArRtgQ2", "VArRtgQ3", "VArRtgQ4"),
        ("VArRtg_SF", SCALE),
        ("ARtg", UINT16, "ARtg_SF"),
        ("ARtg_SF", SCALE),
        *named(INT16, "PFRtg_SF", "PFRtgQ1", "PFRtgQ2", "PFRtgQ3", "PFRtgQ4"),
        ("PFRtg_SF", SCALE),
        ("WHRtg", UINT16, "WHRtg_SF"),
        ("WHRtg_SF", SCALE),
        ("AhrRtg", UINT16, "AhrRtg_SF"),
        ("AhrRtg_SF", SCALE),
        ("MaxChaRte", UINT16, "MaxChaRte_SF"),
        ("MaxChaRte_SF", SCALE),
        ("MaxDisChaRte", UINT16, "MaxDisChaRte_SF"),
        ("MaxDisChaRte_SF", SCALE),
        ("Pad", PAD),
    ),
)

SETTINGS = model(
    121,
    30,
    (
        ("WMax", UINT16, "WMax_SF"),
        ("VRef", UINT16, "VRef_SF"),
        ("VRefOfs", INT16, "VRefOfs_SF"),
        ("VMax", UINT16, "VMinMax_SF"),
        ("VMin", UINT16, "VMinMax_SF"),
        ("VAMax", UINT16, "VAMax_SF"),
        *named(INT16, "VArMax_SF", "VArMaxQ1", "VArMaxQ2", "VArMaxQ3", "VArMaxQ4"),
        ("WGra", UINT16, "WGra_SF"),
        *named(INT16, "PFMin_SF", "PFMinQ1", "PFMinQ2", "PFMinQ3", "PFMinQ4"),
        ("VArAct", ENUM16),
        ("ClcTotVA", ENUM16),
        ("MaxRmpRte", UINT16, "MaxRmpRte_SF"),
        ("ECPNomHz", UINT16, "ECPNomHz_SF"),
        ("ConnPh", ENUM16),
        *((name, SCALE) for name in ("WMax_SF", "VRef_SF", "VRefOfs_SF", "VMinMax_SF", "VAMax_SF")),
        *((name, SCALE) for name in ("VArMax_SF", "WGra_SF", "PFMin_SF", "MaxRmpRte_SF", "ECPNomHz_SF")),
    ),
)

STATUS = model(
    122,
    44,
    (
        ("PVConn", BITS16),
        ("StorConn", BITS16),
        ("ECPConn", BITS16),
        *((name, ACC64) for name in ("ActWh", "ActVAh", "ActVArhQ1", "ActVArhQ2", "ActVArhQ3", "ActVArhQ4")),
        ("VArAval", INT16, "VArAval_SF"),
        ("VArAval_SF", SCALE),
        ("WAval", UINT16, "WAval_SF"),
        ("WAval_SF", SCALE),
        ("StSetLimMsk", BITS32),
        ("StActCtl", BITS32),
        ("TmSrc", TEXT[4]),
        ("Tms", UINT32),
        ("RtSt", BITS16),
        ("Ris", UINT16, "Ris_SF"),
        ("Ris_SF", SCALE),
    ),
)

CONTROLS = model(
    123,
    24,
    (
        ("Conn_WinTms", UINT16),
        ("Conn_RvrtTms", UINT16),
        ("Conn", ENUM16),
        ("WMaxLimPct", UINT16, "WMaxLimPct_SF"),
        ("WMaxLimPct_WinTms", UINT16),
        ("WMaxLimPct_RvrtTms", UINT16),
        ("WMaxLimPct_RmpTms", UINT16),
        ("WMaxLim_Ena", ENUM16),
        ("OutPFSet", INT16, "OutPFSet_SF"),
        *((name, UINT16) for name in ("OutPFSet_WinTms", "OutPFSet_RvrtTms", "OutPFSet_RmpTms")),
        ("OutPFSet_Ena", ENUM16),
        *named(INT16, "VArPct_SF", "VArWMaxPct", "VArMaxPct", "VArAvalPct"),
        *((name, UINT16) for name in ("VArPct_WinTms", "VArPct_RvrtTms", "VArPct_RmpTms")),
        ("VArPct_Mod", ENUM16),
        ("VArPct_Ena", ENUM16),
        *((name, SCALE) for name in ("WMaxLimPct_SF", "OutPFSet_SF", "VArPct_SF")),
    ),
)

STORAGE = model(
    124,
    24,
    (
        ("WChaMax", UINT16, "WChaMax_SF"),
        *named(UINT16, "WChaDisChaGra_SF", "WChaGra", "WDisChaGra"),
        ("StorCtl_Mod", BITS16),
        ("VAChaMax", UINT16, "VAChaMax_SF"),
        ("MinRsvPct", UINT16, "MinRsvPct_SF"),
        ("ChaState", UINT16, "ChaState_SF"),
        ("StorAval", UINT16, "StorAval_SF"),
        ("InBatV", UINT16, "InBatV_SF"),
        ("ChaSt", ENUM16),
        *named(INT16, "InOutWRte_SF", "OutWRte", "InWRte"),
        *((name, UINT16) for name in ("InOutWRte_WinTms", "InOutWRte_RvrtTms", "InOutWRte_RmpTms")),
        ("ChaGriSet", ENUM16),
        *((name, SCALE) for name in ("WChaMax_SF", "WChaDisChaGra_SF", "VAChaMax_SF", "MinRsvPct_SF")),
        *((name, SCALE) for name in ("ChaState_SF", "StorAval_SF", "InBatV_SF", "InOutWRte_SF")),
    ),
)

MPPT_FIXED = model(
    160,
    8,
    (
        *((name, SCALE) for name in ("DCA_SF", "DCV_SF", "DCW_SF", "DCWH_SF")),
        ("Evt", BITS32),
        ("N", COUNT),
        ("TmsPer", UINT16),
    ),
)
MPPT_MODULE: tuple[Row, ...] = (
    ("ID", UINT16),
    ("IDStr", TEXT[8]),
    ("DCA", UINT16, "DCA_SF"),
    ("DCV", UINT16, "DCV_SF"),
    ("DCW", UINT16, "DCW_SF"),
    ("DCWH", ACC32, "DCWH_SF"),
    ("Tms", UINT32),
    ("Tmp", INT16),
    ("DCSt", ENUM16),
    ("DCEvt", BITS32),
)


def mppt(modules: int) -> Model:
    """Model 160 with so many modules; their points are named `0.DCW`, `1.DCW` and so on."""
    rows = tuple((f"{index}.{row[0]}", *row[1:]) for index in range(modules) for row in MPPT_MODULE)
    module_points = lay_out(rows, HEADER_WORDS + MPPT_FIXED.length)
    return Model(160, MPPT_FIXED.length + 20 * modules, MPPT_FIXED.points + module_points)


METER = model(
    203,
    105,
    (
        *named(INT16, "A_SF", "A", "AphA", "AphB", "AphC"),
        ("A_SF", SCALE),
        *named(INT16, "V_SF", "PhV", "PhVphA", "PhVphB", "PhVphC", "PPV", "PhVphAB", "PhVphBC", "PhVphCA"),
        ("V_SF", SCALE),
        ("Hz", INT16, "Hz_SF"),
        ("Hz_SF", SCALE),
        *named(INT16, "W_SF", "W", "WphA", "WphB", "WphC"),
        ("W_SF", SCALE),
        *named(INT16, "VA_SF", "VA", "VAphA", "VAphB", "VAphC"),
        ("VA_SF", SCALE),
        *named(INT16, "VAR_SF", "VAR", "VARphA", "VARphB", "VARphC"),
        ("VAR_SF", SCALE),
        *named(INT16, "PF_SF", "PF", "PFphA", "PFphB", "PFphC"),
        ("PF_SF", SCALE),
        *per_phase(ACC32, "TotWh_SF", "TotWhExp", "TotWhImp"),
        ("TotWh_SF", SCALE),
        *per_phase(ACC32, "TotVAh_SF", "TotVAhExp", "TotVAhImp"),
        ("TotVAh_SF", SCALE),
        *per_phase(ACC32, "TotVArh_SF", "TotVArhImpQ1", "TotVArhImpQ2", "TotVArhExpQ3", "TotVArhExpQ4"),
        ("TotVArh_SF", SCALE),
        ("Evt", BITS32),
    ),
)
