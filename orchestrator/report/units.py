"""Numbers for people: rounded, with their unit, and a dash for what is unknown."""

from __future__ import annotations

DASH = "–"


def energy_text(watt_hours: float | None) -> str:
    """Wh below 1 kWh, kWh above, three significant digits."""
    if watt_hours is None:
        return DASH
    if abs(watt_hours) < 1000:
        return f"{watt_hours:.1f} Wh" if abs(watt_hours) < 10 else f"{watt_hours:.0f} Wh"
    return f"{watt_hours / 1000:.2f} kWh" if abs(watt_hours) < 10_000 else f"{watt_hours / 1000:.1f} kWh"


def power_text(watts: float | None) -> str:
    """Whole watts."""
    return DASH if watts is None else f"{watts:.0f} W"


def duration_text(seconds: float | None) -> str:
    """Seconds below two minutes, minutes and seconds below two hours, hours and minutes above."""
    if seconds is None:
        return DASH
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    return f"{minutes} min {rest_s} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def percent_text(percent: float | None) -> str:
    """Whole percents."""
    return DASH if percent is None else f"{percent:.0f} %"
