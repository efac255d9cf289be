"""What is allowed in a site.yaml, and worth a second thought. Nothing here keeps the plant from running."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from math import ceil

from orchestrator.config.policy import (
    SILENT_AFTER_MOST_S,
    export_can_be_limited,
    limits_stay,
    meter_silent_after_s,
)
from orchestrator.config.sections import InverterConfig, MeterConfig, MqttMeterConfig, SiteConfig
from orchestrator.devices.link.line_load import LineLoad, OnLine, load_of
from orchestrator.devices.link.tries import PATIENT_S
from orchestrator.devices.link.ways import SerialWay
from orchestrator.devices.makes.choice import new_value_s, takes_ac_limit

_CYCLES_PER_REVERT = 3
_SLOW_METER_S = 1.0
_WITH_COMMANDS = 2.0
"""Commands, and reading back what they wrote, take about as long as the readings: 20 requests for 10 were seen."""


def warnings(config: SiteConfig) -> tuple[str, ...]:
    """Plain sentences, each starting with the key that it is about."""
    return tuple(text for check in _CHECKS if (text := check(config)) is not None)


def has_batteries(config: SiteConfig) -> bool:
    """Whether site.yaml speaks of a battery, a real or a simulated one."""
    described = any(inverter.battery.model_fields_set - {"control"} for inverter in config.inverters)
    simulated = config.simulation.inverters.values() if config.simulation else ()
    return described or any(inverter.battery for inverter in simulated)


def _buffer_is_ignored(config: SiteConfig) -> str | None:
    control = config.control
    if control.battery_charge_buffer_watts is None or not control.battery_power_flow:
        return None
    return "control.battery_charge_buffer_watts: ignored, because control.battery_power_flow is true"


def _batteries_are_not_commanded(config: SiteConfig) -> str | None:
    if config.control.battery_power_flow or not config.control.enabled:
        return None
    if not has_batteries(config):
        if "battery_power_flow" in config.control.model_fields_set:
            return None
        return "control.battery_power_flow: not written, so batteries are not commanded, also where one is found"
    return "control.battery_power_flow: false, so batteries are not commanded; only PV is limited"


def _percent_is_a_share(config: SiteConfig) -> str | None:
    """0.9 is a valid percentage, and hardly ever the one that is meant."""
    small = [f"{where}: {value:g}" for where, value in _percents(config) if 0.0 < value < 1.0]
    return f"{', '.join(small)}: less than one percent; are percents from 0 to 100 meant?" if small else None


def _percents(config: SiteConfig) -> Iterator[tuple[str, float]]:
    setpoints = config.setpoints
    asked: list[tuple[str, Mapping[str, object]]] = [("setpoints.fixed", setpoints.fixed.asked())]
    asked += [(f"setpoints.mqtt.{each.name}.default", each.default.asked()) for each in setpoints.mqtt if each.default]
    asked += [(f"inverters.{each.name}.battery", each.battery.model_dump()) for each in config.inverters]
    for where, values in asked:
        for key, value in values.items():
            if key.endswith("_percent") and isinstance(value, int | float):
                yield f"{where}.{key}", value


def _time_outs_are_long(config: SiteConfig) -> str | None:
    """One who is waited for keeps the others waiting, and a limit must be obeyed within 5 s."""
    where = Counter(str(each.way).lower() for each in config.modbus_devices())
    slow = sorted(
        {
            str(each.way)
            for each in config.modbus_devices()
            if each.timeout_s > PATIENT_S and where[str(each.way).lower()] > 1
        }
    )
    if not slow:
        return None
    return (
        f"timeout_s: above {PATIENT_S:g} s at {', '.join(slow)}, which several devices share; while others answer, "
        f"one that is looked for must answer within {PATIENT_S:g} s"
    )


def line_loads(config: SiteConfig) -> dict[SerialWay, LineLoad]:
    """How busy each serial line is."""
    devices: dict[SerialWay, list[OnLine]] = {}
    for each in config.modbus_devices():
        if isinstance(each.way, SerialWay):
            on_line = OnLine(each.driver, isinstance(each, MeterConfig), each.min_gap_s)
            devices.setdefault(each.way, []).append(on_line)
    interval_s = config.meter.interval_s
    return {way: load_of(way, there, interval_s) for way, there in devices.items()}


def line_text(way: SerialWay, load: LineLoad) -> str:
    """How long a cycle takes on a line, in one sentence."""
    meter = f", with the meter read every {load.meter_every_s:.2g} s" if load.meter_s else ""
    return f"{way} ({way.settings}): to read all that is on it takes about {load.cycle_s:.2g} s{meter}"


def _lines_are_slow(config: SiteConfig) -> str | None:
    """What does not fit into a cycle is read less often, which makes limits slower."""
    slow = [
        line_text(way, load) for way, load in line_loads(config).items() if load.cycle_s > config.control.interval_s
    ]
    if not slow:
        return None
    return (
        f"serial: {'; '.join(slow)}; a cycle has {config.control.interval_s:g} s, so inverters are read less often "
        "than that (the meter and commands go first): a higher baud_rate, or a second line, helps"
    )


def _lines_are_too_slow(config: SiteConfig) -> str | None:
    """Whose samples are too old by the time they are read again counts as away, by turns."""
    window_s = config.control.sample_window_s
    slow = {str(way): load.cycle_s for way, load in line_loads(config).items()}
    longest_s = _WITH_COMMANDS * max(slow.values(), default=0.0)
    if longest_s <= window_s:
        return None
    where = ", ".join(way for way, cycle_s in slow.items() if _WITH_COMMANDS * cycle_s > window_s)
    return (
        f"control.sample_window_s: {window_s:g} s, but while commands are written it may take {longest_s:.0f} s until "
        f"an inverter on {where} is read again, and until then it may count as away: a quicker line is better, "
        f"{ceil(longest_s)} s here is the least"
    )


def _metrics_are_public(config: SiteConfig) -> str | None:
    metrics = config.metrics
    if metrics is None or is_loopback(metrics.host):
        return None
    missing = [] if metrics.token else ["without a password (metrics.token)"]
    missing += [] if metrics.certificate_file else ["unencrypted (metrics.certificate_file)"]
    if not missing:
        return None
    return f"metrics.host: {metrics.host} can be read from other machines: OPEN, {' and '.join(missing)}"


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, as far as its name alone says."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _sign_is_guessed(config: SiteConfig) -> str | None:
    if "sign" in config.meter.model_fields_set or isinstance(config.meter, MqttMeterConfig):
        return None
    return "meter.sign: not written, so import counts as positive until proven otherwise; write it once it is known"


def _meter_is_slow(config: SiteConfig) -> str | None:
    """What a meter costs that is read seldom, or has new values seldom."""
    meter = config.meter
    if isinstance(meter, MqttMeterConfig):
        return None
    quick_s = max(config.control.interval_s, _SLOW_METER_S)
    if meter.interval_s <= quick_s:
        return has_new_values_seldom(meter.driver, new_value_s(meter.driver), quick_s)
    late = f"limits are followed up to {meter.interval_s:g} s late"
    silent_s = meter_silent_after_s(config)
    if silent_s <= SILENT_AFTER_MOST_S:
        return f"meter.interval_s: {meter.interval_s:g} s: {late}, because load and sun are seen only that often"
    return (
        f"meter.interval_s: {meter.interval_s:g} s: {late}, because load and sun are seen only that often, and a meter "
        f"that falls silent is noticed after {silent_s:g} s, not within {SILENT_AFTER_MOST_S:g} s"
    )


def has_new_values_seldom(driver: str, renewed_s: float | None, quick_s: float) -> str | None:
    """What a meter costs that is read often and has a new value only every `renewed_s` (None: not known)."""
    if renewed_s is None or renewed_s <= quick_s:
        return None
    return (
        f"meter.driver: {driver} has a new value every {renewed_s:g} s: limits are followed up to "
        f"{renewed_s:g} s late, because load and sun are seen only that often"
    )


def _meter_may_be_old(config: SiteConfig) -> str | None:
    """What it costs to believe an old state of a meter that something else reads."""
    meter = config.meter
    if not isinstance(meter, MqttMeterConfig) or meter.max_age_s <= SILENT_AFTER_MOST_S:
        return None
    return (
        f"meter.max_age_s: {meter.max_age_s:g} s: a meter that falls silent is noticed after {meter.max_age_s:g} s, "
        f"not within {SILENT_AFTER_MOST_S:g} s, and until then limits are followed by its last value"
    )


def _meter_is_behind_an_inverter(config: SiteConfig) -> str | None:
    where = {_address(each): each.name for each in config.inverters if isinstance(each, InverterConfig)}
    name = where.get(_address(config.meter)) if isinstance(config.meter, MeterConfig) else None
    if name is None:
        return None
    return f"meter.unit_id: the address of {name}, so the meter is looked for in the registers of that inverter"


def _address(device: MeterConfig | InverterConfig) -> tuple[str, int]:
    return str(device.way).lower(), device.unit_id


def _revert_is_short(config: SiteConfig) -> str | None:
    control = config.control
    if control.revert_s >= _CYCLES_PER_REVERT * control.interval_s:
        return None
    return (
        f"control.revert_s: {control.revert_s} s is less than {_CYCLES_PER_REVERT} cycles of {control.interval_s:g} s; "
        "a short pause would make devices fall back to their own default"
    )


def _stay_and_charging_from_ac(config: SiteConfig) -> str | None:
    control = config.control
    if not (control.enabled and control.battery_power_flow and limits_stay(config)):
        return None
    return (
        "control.failsafe.when_lost: after a kill the AC limits stay, and batteries go back to their own default "
        f"{control.revert_s} s later; a limit that counted charging from AC then lets the site export that much"
    )


def _release_and_an_export_limit(config: SiteConfig) -> str | None:
    control = config.control
    if not control.enabled or limits_stay(config) or not export_can_be_limited(config):
        return None
    return (
        f"control.failsafe.when_lost: release: {control.revert_s} s after a kill the AC limits have ended, "
        "and the site may export without any limit until the orchestrator is back"
    )


def _some_take_no_ac_limit(config: SiteConfig) -> str | None:
    """Their PV is fed in whatever is asked for, once no battery takes it."""
    if not config.control.enabled or not export_can_be_limited(config):
        return None
    commanded = [each for each in config.inverters if each.control and isinstance(each, InverterConfig)]
    names = [each.name for each in commanded if each.profile is None and not takes_ac_limit(each.driver)]
    if not names:
        return None
    return (
        f"inverters: no AC limit is known of the make of {', '.join(names)}: an export limit is kept by what batteries "
        "take and by the other inverters only; leave the export limit in the device itself on"
    )


def _sources_without_default(config: SiteConfig) -> str | None:
    names = [source.name for source in config.setpoints.mqtt if source.default is None]
    if not names or not config.control.enabled:
        return None
    return (
        f"setpoints.mqtt: no default for {' and '.join(names)}: while such a source was never heard, the AC limits "
        "found in the devices hold; when its setpoint ends, it asks for nothing (`default: {}` says that this is meant)"
    )


_CHECKS: tuple[Callable[[SiteConfig], str | None], ...] = (
    _buffer_is_ignored,
    _batteries_are_not_commanded,
    _percent_is_a_share,
    _time_outs_are_long,
    _lines_are_slow,
    _lines_are_too_slow,
    _metrics_are_public,
    _sign_is_guessed,
    _meter_is_slow,
    _meter_may_be_old,
    _meter_is_behind_an_inverter,
    _revert_is_short,
    _stay_and_charging_from_ac,
    _release_and_an_export_limit,
    _some_take_no_ac_limit,
    _sources_without_default,
)
