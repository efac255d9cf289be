"""What is allowed in a site.yaml, and worth a second thought. Nothing here keeps the plant from running."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address

from orchestrator.config.policy import (
    SILENT_AFTER_MOST_S,
    export_can_be_limited,
    limits_stay,
    meter_silent_after_s,
)
from orchestrator.config.sections import InverterConfig, MeterConfig, MqttMeterConfig, SiteConfig
from orchestrator.devices.link.tries import PATIENT_S
from orchestrator.devices.makes.choice import new_value_s

_CYCLES_PER_REVERT = 3
_SLOW_METER_S = 1.0


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
    where = Counter((each.host.lower(), each.port) for each in config.modbus_devices())
    slow = sorted(
        {
            f"{each.host}:{each.port}"
            for each in config.modbus_devices()
            if each.timeout_s > PATIENT_S and where[each.host.lower(), each.port] > 1
        }
    )
    if not slow:
        return None
    return (
        f"timeout_s: above {PATIENT_S:g} s at {', '.join(slow)}, which several devices share; while others answer, "
        f"one that is looked for must answer within {PATIENT_S:g} s"
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


def _address(device: MeterConfig | InverterConfig) -> tuple[str, int, int]:
    return device.host.lower(), device.port, device.unit_id


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
    _metrics_are_public,
    _sign_is_guessed,
    _meter_is_slow,
    _meter_may_be_old,
    _meter_is_behind_an_inverter,
    _revert_is_short,
    _stay_and_charging_from_ac,
    _release_and_an_export_limit,
    _sources_without_default,
)
