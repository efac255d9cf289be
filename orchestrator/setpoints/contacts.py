"""The words of a contact as setpoints: a relay of the network says one of a few words, and a table what each means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from orchestrator.errors import PayloadError
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, utc_text

LONGEST_WORD: Final = 64

SMALLEST_WATTS: Final = 4200.0
"""What section 14a EnWG leaves to one device at least."""
SHARE_OF_LARGE: Final = 0.4
"""What it leaves to heat pumps, or to air conditioning, of more than 11 kW: this part of their rated power.

That such devices have a rule of their own, and the 11 kW, are in VDE FNN's note on the least power (14 April 2025).
The share is in Glen Dimplex's note for installers, "Steuerbare Verbrauchseinrichtung nach §14a EnWG": above 11.0 kW a
heat pump with its heating rod is reduced to 0.4 times their sum, below to 4.2 kW. No second source names it for air
conditioning."""
AT_ONCE: Final = (0.0, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45)
"""How many devices are counted to draw at once, for 1, 2, ... devices; the last for all that are more.

From BNetzA's BK6-22-300 of 27 November 2023, appendix 1, clause 4.5.2, as two programs have them: an energy manager in
Rust that cites the clause for its example of two devices (7560 W), and NexoWatt's adapter for ioBroker, which has all
eight numbers."""


def parse_word(
    words: Mapping[str, SetpointFields],
    payload: bytes,
    *,
    source: str,
    received_at_s: float,
    wall_now: datetime,
    validity_s: float | None,
) -> Setpoint:
    """The setpoint that a word means. Raises PayloadError for one that is not in `words`.

    `received_at_s` is monotonic, `wall_now` the same moment; it holds for `validity_s` (None: without end).
    """
    word = payload[: 4 * LONGEST_WORD].decode("utf-8", "replace").strip()
    if word not in words:
        known = ", ".join(json.dumps(each) for each in words)
        raise PayloadError(f"the contact says {json.dumps(word[:40])}; known are {known}")
    if validity_s is None:
        return Setpoint(source, words[word], received_at_s)
    ends = utc_text(wall_now.timestamp() + validity_s)
    return Setpoint(source, words[word], received_at_s, received_at_s + validity_s, ends)


def least_import_watts(devices: int, heat_pump_watts: float = 0.0, air_conditioning_watts: float = 0.0) -> float:
    """What section 14a EnWG leaves to several controllable devices behind one energy management system, in W.

    `devices` (>= 1) counts all of them: heat pumps together as one, and air conditioning as another one. The watts are
    the rated powers of heat pumps and of air conditioning that have more than 11 kW together. BK6-22-300, appendix 1,
    2.4.2 (what counts as one) and 4.5.2 (the formula).
    """
    largest = max(heat_pump_watts, air_conditioning_watts) * SHARE_OF_LARGE
    at_once = AT_ONCE[min(devices, len(AT_ONCE)) - 1]
    return max(largest, SMALLEST_WATTS) + (devices - 1) * at_once * SMALLEST_WATTS
