"""The energy of a run: where it came from, where it went, and that it adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import fsum

from orchestrator.simulation.physics import SECONDS_PER_HOUR
from orchestrator.simulation.virtual_time import Moment


@dataclass(frozen=True, slots=True)
class EnergyBalance:
    """All in Wh, all >= 0 but `stored_wh`, which is by how much more the batteries hold at the end.

    `curtailed_wh` is PV that light allowed and that was not made. `battery_losses_wh` is what batteries took and do
    neither give nor hold.
    """

    pv_wh: float = 0.0
    curtailed_wh: float = 0.0
    load_wh: float = 0.0
    imported_wh: float = 0.0
    exported_wh: float = 0.0
    charged_wh: float = 0.0
    discharged_wh: float = 0.0
    converter_losses_wh: float = 0.0
    stored_wh: float = 0.0

    @property
    def battery_losses_wh(self) -> float:
        """What went into batteries and neither came out nor is still there."""
        return self.charged_wh - self.discharged_wh - self.stored_wh

    @property
    def gap_wh(self) -> float:
        """By how much it does not add up: sources less uses, 0 except for rounding."""
        losses = self.converter_losses_wh + self.battery_losses_wh
        return self.pv_wh + self.imported_wh - self.load_wh - self.exported_wh - self.stored_wh - losses

    @property
    def self_consumption_percent(self) -> float | None:
        """The part of the PV energy that stayed on the site; None without PV."""
        return None if not self.pv_wh else 100.0 * min(max(1.0 - self.exported_wh / self.pv_wh, 0.0), 1.0)

    @property
    def self_sufficiency_percent(self) -> float | None:
        """The part of the consumption that was not imported; None without consumption."""
        return None if not self.load_wh else 100.0 * min(max(1.0 - self.imported_wh / self.load_wh, 0.0), 1.0)

    @property
    def import_avoided_wh(self) -> float:
        """By how much less was imported than was consumed; negative where batteries were charged from the grid."""
        return self.load_wh - self.imported_wh

    def __add__(self, other: EnergyBalance) -> EnergyBalance:
        return EnergyBalance(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def balance_of(moments: Sequence[Moment], period_s: float, stored_before_wh: float) -> EnergyBalance:
    """The energy of some moments, one for each `period_s`; the batteries held `stored_before_wh` before them."""
    if not moments:
        return EnergyBalance()
    hours = period_s / SECONDS_PER_HOUR
    powers = [power for moment in moments for power in moment.powers]
    return EnergyBalance(
        pv_wh=hours * fsum(power.pv_watts for power in powers),
        curtailed_wh=hours * fsum(power.pv_available_watts - power.pv_watts for power in powers),
        load_wh=hours * fsum(moment.load_watts for moment in moments),
        imported_wh=hours * fsum(max(moment.site_watts, 0.0) for moment in moments),
        exported_wh=hours * fsum(max(-moment.site_watts, 0.0) for moment in moments),
        charged_wh=hours * fsum(max(power.battery_watts, 0.0) for power in powers),
        discharged_wh=hours * fsum(max(-power.battery_watts, 0.0) for power in powers),
        converter_losses_wh=hours * fsum(power.losses_watts for power in powers),
        stored_wh=stored_wh(moments[-1]) - stored_before_wh,
    )


def stored_wh(moment: Moment) -> float:
    """What all batteries hold."""
    return fsum(power.stored_wh for power in moment.powers)
