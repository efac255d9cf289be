"""The SunSpec models besides the common ones that KOSTAL serves, as data: 113 with floats, and the battery in 802."""

from __future__ import annotations

import struct

from orchestrator.simulation.devices.sunspec.model import model, named
from orchestrator.simulation.devices.sunspec.words import BITS32, ENUM16, INT16, SCALE, UINT16, UINT32, Kind

FLOAT = Kind(2, 0, 0xFFFFFFFF, 0x7FC00000)
"""A float by its bits, see `bits`; not a number is "not implemented"."""

INVERTER_FLOAT = model(
    113,
    60,
    (
        *((name, FLOAT) for name in ("A", "AphA", "AphB", "AphC", "PPVphAB", "PPVphBC", "PPVphCA")),
        *((name, FLOAT) for name in ("PhVphA", "PhVphB", "PhVphC", "W", "Hz", "VA", "VAr", "PF", "WH")),
        *((name, FLOAT) for name in ("DCA", "DCV", "DCW", "TmpCab", "TmpSnk", "TmpTrns", "TmpOt")),
        ("St", ENUM16),
        ("StVnd", ENUM16),
        *((name, BITS32) for name in ("Evt1", "Evt2", "EvtVnd1", "EvtVnd2", "EvtVnd3", "EvtVnd4")),
    ),
)

BATTERY = model(
    802,
    62,
    (
        ("AHRtg", UINT16, "AHRtg_SF"),
        ("WHRtg", UINT16, "WHRtg_SF"),
        *named(UINT16, "WChaDisChaMax_SF", "WChaRteMax", "WDisChaRteMax"),
        ("DisChaRte", UINT16, "DisChaRte_SF"),
        *named(UINT16, "SoC_SF", "SoCMax", "SoCMin", "SocRsvMax", "SoCRsvMin", "SoC"),
        ("DoD", UINT16, "DoD_SF"),
        ("SoH", UINT16, "SoH_SF"),
        ("NCyc", UINT32),
        ("ChaSt", ENUM16),
        ("LocRemCtl", ENUM16),
        *((name, UINT16) for name in ("Hb", "CtrlHb", "AlmRst")),
        *((name, ENUM16) for name in ("Typ", "State", "StateVnd")),
        ("WarrDt", UINT32),
        *((name, BITS32) for name in ("Evt1", "Evt2", "EvtVnd1", "EvtVnd2")),
        *named(UINT16, "V_SF", "V", "VMax", "VMin"),
        ("CellVMax", UINT16, "CellV_SF"),
        ("CellVMaxStr", UINT16),
        ("CellVMaxMod", UINT16),
        ("CellVMin", UINT16, "CellV_SF"),
        ("CellVMinStr", UINT16),
        ("CellVMinMod", UINT16),
        ("CellVAvg", UINT16, "CellV_SF"),
        ("A", INT16, "A_SF"),
        *named(UINT16, "AMax_SF", "AChaMax", "ADisChaMax"),
        ("W", INT16, "W_SF"),
        ("ReqInvState", ENUM16),
        ("ReqW", INT16, "W_SF"),
        ("SetOp", ENUM16),
        ("SetInvState", ENUM16),
        *((name, SCALE) for name in ("AHRtg_SF", "WHRtg_SF", "WChaDisChaMax_SF", "DisChaRte_SF", "SoC_SF", "DoD_SF")),
        *((name, SCALE) for name in ("SoH_SF", "V_SF", "CellV_SF", "A_SF", "AMax_SF", "W_SF")),
    ),
)


def bits(value: float) -> int:
    """The bits of a 32-bit float."""
    return int.from_bytes(struct.pack(">f", value), "big")
