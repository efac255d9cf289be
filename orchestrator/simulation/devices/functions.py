"""The Modbus functions that devices know."""

from __future__ import annotations

READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY = 3, 4, 6, 16
