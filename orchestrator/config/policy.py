"""Questions about site.yaml that decide: can export be limited, do limits outlive us, is a battery ours, how long may
the meter say nothing.
"""

from __future__ import annotations

from orchestrator.config.sections import AnyInverterConfig, AnyMeterConfig, MeterConfig, SiteConfig
from orchestrator.samples import InverterSample
from orchestrator.setpoints.fields import SetpointFields

SILENT_AFTER_PERIODS = 3
SILENT_AFTER_MOST_S = 5.0
"""A meter is silent after so many periods without an answer, and after so long at most, wherever that can be seen: one
lost answer is no silence."""

LATE_ANSWER_S = 0.5
"""So much later than due an answer of a meter may arrive, for what the link and this machine do besides."""

TOLD_EVERY_MOST_S = 1.0
"""A meter whose value stays the same is heard of at least this often, or it would seem silent in a slow loop."""


def export_can_be_limited(config: SiteConfig) -> bool:
    """Whether any source may ask for an export limit: `fixed`, a table, or MQTT, Home Assistant and a utility server at
    any time.
    """
    by_message = config.setpoints.mqtt or config.publish.for_home_assistant or config.setpoints.csip_aus
    portfolio = config.publish.portfolio
    by_clock = [each for source in config.setpoints.schedules for each in source.asks()]
    by_price = [each for source in config.setpoints.price_files for each in source.asks()]
    by_contact = [each for source in config.setpoints.modbus_contacts for each in source.asks()]
    by_portfolio = (portfolio.default,) if portfolio else ()  # no command of it asks for an export limit
    stated = (config.setpoints.fixed, *by_portfolio, *by_clock, *by_price, *by_contact)
    if config.setpoints.voltage_guard is not None:
        return True
    return any(each.export_limit_watts is not None for each in stated) or bool(by_message)


def limits_stay(config: SiteConfig) -> bool:
    """Whether AC limits outlive the orchestrator: `when_lost` is `stay`, or `auto` where export can be limited."""
    when_lost = config.control.failsafe.when_lost
    return when_lost == "stay" or (when_lost == "auto" and export_can_be_limited(config))


def battery_may_be_commanded(inverter: AnyInverterConfig) -> bool:
    """Whether site.yaml allows commands to the battery of this inverter, by the loop or on trial."""
    return inverter.control and inverter.battery.control


def batteries_are_ours(config: SiteConfig, inverter: AnyInverterConfig) -> bool:
    """Whether the loop commands the battery of this inverter, if it has one that can be commanded."""
    return config.control.battery_power_flow and battery_may_be_commanded(inverter)


def commands_battery(config: SiteConfig, inverter: AnyInverterConfig, sample: InverterSample) -> bool:
    """Whether there is a battery behind this inverter that is ours, and that takes commands."""
    return sample.battery is not None and sample.battery_controllable and batteries_are_ours(config, inverter)


def export_limit_watts(config: SiteConfig, wanted: SetpointFields) -> float | None:
    """The export limit in force. The older way raises it to the charge buffer; None is unlimited."""
    limit, buffer = wanted.export_limit_watts, config.control.battery_charge_buffer_watts
    if limit is None or buffer is None or config.control.battery_power_flow:
        return limit
    return max(limit, buffer)


def meter_silent_after_s(config: SiteConfig) -> float:
    """For how long, in seconds, a meter may say nothing before it counts as silent.

    3 periods of loop or meter, whichever is longer; at most 5 s, and at most the sample window. A meter that is read so
    seldom that these cannot be kept gets as long as a healthy one may need from one answer to the next, and no longer.
    """
    control = config.control
    period_s = max(control.interval_s, config.meter.interval_s)
    as_a_rule_s = min(SILENT_AFTER_PERIODS * period_s, SILENT_AFTER_MOST_S, control.sample_window_s)
    return max(as_a_rule_s, _longest_gap_s(config.meter))


def meter_told_every_s(config: SiteConfig) -> float:
    """How often, in seconds, the site is told a value of the meter that stays the same."""
    return min(config.control.interval_s, TOLD_EVERY_MOST_S)


def _longest_gap_s(meter: AnyMeterConfig) -> float:
    """The longest time between two answers of a healthy meter; 0 for one that is not polled.

    An answer at once may be followed by one that uses up its time-out. Of a time-out that is longer than the interval
    only that much counts: it is there for devices that are slow at times, and must not hide that a meter is silent.
    """
    if not isinstance(meter, MeterConfig):
        return 0.0
    return meter.interval_s + min(meter.timeout_s, meter.interval_s) + LATE_ANSWER_S
