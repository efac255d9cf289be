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
from orchestrator.config.sections import InverterConfig, MeterConfig, SiteConfig
from orchestrator.devices.link.line_load import LineLoad, OnLine, load_of
from orchestrator.devices.link.tries import PATIENT_S
from orchestrator.devices.link.ways import SerialWay
from orchestrator.devices.makes.choice import new_value_s, profile_of, takes_ac_limit
from orchestrator.reason import Reason, because
from orchestrator.reason.cautions import say_caution

_CYCLES_PER_REVERT = 3
_SLOW_METER_S = 1.0
_OPEN = {
    (False, False): because("without_password_and_unencrypted"),
    (False, True): because("without_password"),
    (True, False): because("unencrypted"),
}
"""What is missing of a server that others reach, by whether it has a token and a certificate."""
_WITH_COMMANDS = 2.0
"""Commands, and reading back what they wrote, take about as long as the readings: 20 requests for 10 were seen."""


def cautions(config: SiteConfig) -> tuple[Reason, ...]:
    """What is worth a second thought; the words are in `reason.cautions`."""
    return tuple(why for check in _CHECKS if (why := check(config)) is not None)


def warnings(config: SiteConfig) -> tuple[str, ...]:
    """The same as plain sentences, each starting with the key that it is about."""
    return tuple(map(say_caution, cautions(config)))


def has_batteries(config: SiteConfig) -> bool:
    """Whether site.yaml speaks of a battery, a real or a simulated one."""
    described = any(inverter.battery.model_fields_set - {"control"} for inverter in config.inverters)
    simulated = config.simulation.inverters.values() if config.simulation else ()
    return described or any(inverter.battery for inverter in simulated)


def _buffer_is_ignored(config: SiteConfig) -> Reason | None:
    control = config.control
    if control.battery_charge_buffer_watts is None or not control.battery_power_flow:
        return None
    return because("buffer_ignored")


def _batteries_are_not_commanded(config: SiteConfig) -> Reason | None:
    if config.control.battery_power_flow or not config.control.enabled:
        return None
    if not has_batteries(config):
        if "battery_power_flow" in config.control.model_fields_set:
            return None
        return because("batteries_not_chosen")
    return because("batteries_not_commanded")


def _percent_is_a_share(config: SiteConfig) -> Reason | None:
    """0.9 is a valid percentage, and hardly ever the one that is meant."""
    small = [f"{where}: {value:g}" for where, value in _percents(config) if 0.0 < value < 1.0]
    return because("less_than_a_percent", where=", ".join(small)) if small else None


def _percents(config: SiteConfig) -> Iterator[tuple[str, float]]:
    setpoints = config.setpoints
    asked: list[tuple[str, Mapping[str, object]]] = [("setpoints.fixed", setpoints.fixed.asked())]
    asked += [(f"setpoints.mqtt.{each.name}.default", each.default.asked()) for each in setpoints.mqtt if each.default]
    asked += [(f"inverters.{each.name}.battery", each.battery.model_dump()) for each in config.inverters]
    for where, values in asked:
        for key, value in values.items():
            if key.endswith("_percent") and isinstance(value, int | float):
                yield f"{where}.{key}", value


def _time_outs_are_long(config: SiteConfig) -> Reason | None:
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
    return because("time_out_long", where=", ".join(slow), patient_s=PATIENT_S)


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
    return say_caution(_line_takes(way, load))


def _line_takes(way: SerialWay, load: LineLoad) -> Reason:
    every_s = load.meter_every_s if load.meter_s else None
    return because("line_takes", where=str(way), settings=way.settings, cycle_s=load.cycle_s, meter_every_s=every_s)


def _lines_are_slow(config: SiteConfig) -> Reason | None:
    """What does not fit into a cycle is read less often, which makes limits slower."""
    interval_s = config.control.interval_s
    slow = [_line_takes(way, load) for way, load in line_loads(config).items() if load.cycle_s > interval_s]
    return because("line_slow", lines=tuple(slow), interval_s=interval_s) if slow else None


def _lines_are_too_slow(config: SiteConfig) -> Reason | None:
    """Whose samples are too old by the time they are read again counts as away, by turns."""
    window_s = config.control.sample_window_s
    slow = {str(way): load.cycle_s for way, load in line_loads(config).items()}
    longest_s = _WITH_COMMANDS * max(slow.values(), default=0.0)
    if longest_s <= window_s:
        return None
    where = ", ".join(way for way, cycle_s in slow.items() if _WITH_COMMANDS * cycle_s > window_s)
    return because("line_too_slow", window_s=window_s, longest_s=longest_s, where=where, least_s=ceil(longest_s))


def _metrics_are_public(config: SiteConfig) -> Reason | None:
    metrics = config.metrics
    if metrics is None or is_loopback(metrics.host):
        return None
    how = _OPEN.get((bool(metrics.token), bool(metrics.certificate_file)))
    return because("server_open", host=metrics.host, how=how) if how else None


def _page_is_public(config: SiteConfig) -> Reason | None:
    page = config.page
    if config.metrics is not None:
        ignored = [f"page.{key}" for key in ("host", "port") if key in page.model_fields_set and page.enabled]
        return because("page_place_ignored", keys=", ".join(ignored)) if ignored else None
    if not page.enabled or is_loopback(page.host):
        return None
    return because("page_open", host=page.host)


def _changes_are_unencrypted(config: SiteConfig) -> Reason | None:
    server = config.server
    if server is None or not config.page.can_be_changed or is_loopback(server.host) or server.certificate_file:
        return None
    return because("changes_unencrypted", host=server.host)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, as far as its name alone says."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _sign_is_guessed(config: SiteConfig) -> Reason | None:
    if "sign" in config.meter.model_fields_set or not isinstance(config.meter, MeterConfig):
        return None
    return because("sign_not_written")


def _meter_is_slow(config: SiteConfig) -> Reason | None:
    """What a meter costs that is read seldom, or has new values seldom."""
    meter = config.meter
    if not isinstance(meter, MeterConfig):
        return None
    quick_s = max(config.control.interval_s, _SLOW_METER_S)
    if meter.interval_s <= quick_s:
        return has_new_values_seldom(meter.driver, new_value_s(meter.driver), quick_s)
    silent_s = meter_silent_after_s(config)
    if silent_s <= SILENT_AFTER_MOST_S:
        return because("meter_read_seldom", seconds=meter.interval_s)
    return because("meter_read_very_seldom", seconds=meter.interval_s, silent_s=silent_s, most_s=SILENT_AFTER_MOST_S)


def has_new_values_seldom(driver: str, renewed_s: float | None, quick_s: float) -> Reason | None:
    """What a meter costs that is read often and has a new value only every `renewed_s` (None: not known)."""
    if renewed_s is None or renewed_s <= quick_s:
        return None
    return because("meter_renewed_seldom", driver=driver, seconds=renewed_s)


def _meter_may_be_old(config: SiteConfig) -> Reason | None:
    """What it costs to believe an old state of a meter that something else reads."""
    meter = config.meter
    if isinstance(meter, MeterConfig) or meter.max_age_s <= SILENT_AFTER_MOST_S:
        return None
    return because("meter_state_old", seconds=meter.max_age_s, most_s=SILENT_AFTER_MOST_S)


def _meter_is_behind_an_inverter(config: SiteConfig) -> Reason | None:
    where = {_address(each): each.name for each in config.inverters if isinstance(each, InverterConfig)}
    name = where.get(_address(config.meter)) if isinstance(config.meter, MeterConfig) else None
    if name is None:
        return None
    return because("meter_behind_inverter", inverter=name)


def _address(device: MeterConfig | InverterConfig) -> tuple[str, int]:
    return str(device.way).lower(), device.unit_id


def _revert_is_short(config: SiteConfig) -> Reason | None:
    control = config.control
    if control.revert_s >= _CYCLES_PER_REVERT * control.interval_s:
        return None
    return because("revert_short", seconds=control.revert_s, cycles=_CYCLES_PER_REVERT, interval_s=control.interval_s)


def _stay_and_charging_from_ac(config: SiteConfig) -> Reason | None:
    control = config.control
    if not (control.enabled and control.battery_power_flow and limits_stay(config)):
        return None
    return because("limits_stay", seconds=control.revert_s)


def _release_and_an_export_limit(config: SiteConfig) -> Reason | None:
    control = config.control
    if not control.enabled or limits_stay(config) or not export_can_be_limited(config):
        return None
    return because("limits_end", seconds=control.revert_s)


def _some_take_no_ac_limit(config: SiteConfig) -> Reason | None:
    """Their PV is fed in whatever is asked for, once no battery takes it."""
    if not config.control.enabled or not export_can_be_limited(config):
        return None
    commanded = [each for each in config.inverters if each.control and isinstance(each, InverterConfig)]
    names = [each.name for each in commanded if each.profile is None and not takes_ac_limit(each.driver)]
    return because("no_ac_limit_known", inverters=", ".join(names)) if names else None


def _sources_without_default(config: SiteConfig) -> Reason | None:
    names = [source.name for source in config.setpoints.mqtt if source.default is None]
    if not names or not config.control.enabled:
        return None
    return because("no_default", sources=", ".join(names))


def _phases_may_be_unknown(config: SiteConfig) -> Reason | None:
    """Of these drivers nobody knows before what the meter shows."""
    if not config.control.limits_per_phase or profile_of(config.meter.driver) is not None:
        return None
    return because("phases_may_be_unknown")


_CHECKS: tuple[Callable[[SiteConfig], Reason | None], ...] = (
    _buffer_is_ignored,
    _batteries_are_not_commanded,
    _percent_is_a_share,
    _time_outs_are_long,
    _lines_are_slow,
    _lines_are_too_slow,
    _metrics_are_public,
    _page_is_public,
    _changes_are_unencrypted,
    _sign_is_guessed,
    _meter_is_slow,
    _meter_may_be_old,
    _meter_is_behind_an_inverter,
    _revert_is_short,
    _stay_and_charging_from_ac,
    _release_and_an_export_limit,
    _some_take_no_ac_limit,
    _sources_without_default,
    _phases_may_be_unknown,
)
