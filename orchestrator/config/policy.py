"""Questions about site.yaml that decide: whether export can be limited, limits outlive us, a battery is ours."""

from __future__ import annotations

from orchestrator.config.sections import AnyInverterConfig, SiteConfig
from orchestrator.setpoints.fields import SetpointFields


def export_can_be_limited(config: SiteConfig) -> bool:
    """Whether any source of setpoints may ask for an export limit: `fixed`, a default, or MQTT at any time."""
    return config.setpoints.fixed.export_limit_watts is not None or bool(config.setpoints.mqtt)


def limits_stay(config: SiteConfig) -> bool:
    """Whether AC limits outlive the orchestrator: `when_lost` is `stay`, or `auto` where export can be limited."""
    when_lost = config.control.failsafe.when_lost
    return when_lost == "stay" or (when_lost == "auto" and export_can_be_limited(config))


def batteries_are_ours(config: SiteConfig, inverter: AnyInverterConfig) -> bool:
    """Whether the battery of this inverter is commanded at all."""
    return config.control.battery_power_flow and inverter.control and inverter.battery.control


def export_limit_watts(config: SiteConfig, wanted: SetpointFields) -> float | None:
    """The export limit in force. The older way raises it to the charge buffer; None is unlimited."""
    limit, buffer = wanted.export_limit_watts, config.control.battery_charge_buffer_watts
    if limit is None or buffer is None or config.control.battery_power_flow:
        return limit
    return max(limit, buffer)
