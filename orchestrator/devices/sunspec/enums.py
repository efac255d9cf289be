"""The enumerations and bit fields of control points and of typed ports, by name."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Connection(IntEnum):
    """Model 123, Conn."""

    DISCONNECT = 0
    CONNECT = 1


class LimitEnabled(IntEnum):
    """Model 123, WMaxLim_Ena; model 704, WMaxLimPctEna, WSetEna and what they revert to."""

    DISABLED = 0
    ENABLED = 1


class StorageControl(IntFlag):
    """Model 124, StorCtl_Mod: which of the two rates is in force.

    CHARGE puts InWRte in force, DISCHARGE OutWRte. A forced charge is a negative OutWRte, so it carries DISCHARGE.
    """

    NONE = 0
    CHARGE = 1
    DISCHARGE = 2


class GridCharging(IntEnum):
    """Model 124, ChaGriSet: what the battery may be charged from."""

    PV = 0
    GRID = 1


class SetPointUnit(IntEnum):
    """Model 704, WSetMod: what the set point is given in."""

    PERCENT = 0
    WATTS = 1


class ControlModes(IntFlag):
    """Model 702, CtrlModes: what the device can be told (of 14 bits, those that are used here)."""

    LIMIT_WATTS = 1
    SET_WATTS = 2


class PortType(IntEnum):
    """Model 714, PrtTyp (of 7 values, those that are used here)."""

    PV = 0
    STORAGE = 1


class GridConnection(IntEnum):
    """Model 701, ConnSt."""

    DISCONNECTED = 0
    CONNECTED = 1
