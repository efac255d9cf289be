"""The last commands without a loop: for whoever ends the plant when the one that decides for it is dead."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orchestrator.commands import InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.failsafe import blind_commands, final_commands
from orchestrator.loop.in_force import in_force
from orchestrator.loop.kept import Kept
from orchestrator.loop.messages import Report
from orchestrator.loop.presence import expected, freeze
from orchestrator.samples import InverterSample, SiteSnapshot
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge


def last_commands(
    config: SiteConfig,
    kept: Kept,
    stored: Mapping[str, Setpoint],
    reports: Mapping[str, tuple[Report, ...]],
    *,
    now_s: float,
    wall_s: float | None = None,
) -> tuple[InverterCommand, ...]:
    """What the loop would hand out at a stop, from what outlived it.

    `reports` are of each inverter the last that had a sample, and the last, in this order. `stored` are the setpoints
    that were kept on disk: the loop may have died before it heard of the newest. Of two that differ the stricter holds.
    `now_s` is monotonic, `wall_s` what the wall clock shows (None: the same).
    """
    asked = _asked(config, kept, stored, now_s, wall_s)
    return final_commands(config, asked, _snapshot(config, reports, now_s), kept.memories)


def commands_without_reports(
    config: SiteConfig,
    kept: Kept,
    stored: Mapping[str, Setpoint],
    names: Collection[str],
    *,
    now_s: float,
    wall_s: float | None = None,
) -> tuple[InverterCommand, ...]:
    """The last commands to the inverters of `names`, of whom nobody could tell the loop anything any more."""
    return blind_commands(config, _asked(config, kept, stored, now_s, wall_s), names)


def _asked(
    config: SiteConfig, kept: Kept, stored: Mapping[str, Setpoint], now_s: float, wall_s: float | None
) -> OperatingEnvelope:
    return merge((*in_force(config, kept.setpoints, now_s, wall_s), *in_force(config, stored, now_s, wall_s)))


def _snapshot(config: SiteConfig, reports: Mapping[str, tuple[Report, ...]], now_s: float) -> SiteSnapshot:
    interval_s = config.control.interval_s
    presences = {}
    for inverter in config.inverters:
        each = expected(inverter, interval_s)
        for report in reports.get(inverter.name, ()):
            sample = report.sample if isinstance(report.sample, InverterSample) else None
            each = each.reported(report.cycle, sample, report.fault, now_s=now_s, in_time=True, trouble=report.why)
        presences[inverter.name] = each
    return freeze(presences, None, config, now_s)
