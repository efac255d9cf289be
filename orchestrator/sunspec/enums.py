"""The enumerations and bit fields of the control points, by name."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Connection(IntEnum):
    """Model 123, Conn."""

    DISCONNECT = 0
    CONNECT = 1


class LimitEnabled(IntEnum):
    """Model 123, WMaxLim_Ena."""

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
