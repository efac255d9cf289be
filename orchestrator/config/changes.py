"""What a changed site.yaml means for a plant that runs: who is started, replaced, stopped, and who is left alone.

Only what differs is touched. An inverter that is the same device before and after keeps what was commanded to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.config.audience import HOME_ASSISTANT, PORTFOLIO
from orchestrator.config.policy import batteries_are_ours, meter_silent_after_s
from orchestrator.config.sections import AnyInverterConfig, InverterConfig, SiteConfig
from orchestrator.reason import Reason, because
from orchestrator.reason.changes import say_change

SECTIONS_OF_THE_SITE = ("site", "control", "setpoints")


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference between two configurations of one plant.

    `added`, `removed` and `replaced` are inverters by name; one that is now another device is both removed and added.
    `handed_back` are those of the former configuration that are not commanded any more, the removed ones first;
    `freed_batteries` those that stay and whose battery is left to itself from now on. `meter`, `mqtt`, `metrics`,
    `page` and `ledger` say that this actor is replaced (metrics and page are one), `site` that the loop has to know,
    `logging` that the log changes.
    `needs_restart` names what cannot change while the plant runs: with any of it nothing is changed at all.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    handed_back: tuple[str, ...] = ()
    freed_batteries: tuple[str, ...] = ()
    meter: bool = False
    site: bool = False
    mqtt: bool = False
    metrics: bool = False
    page: bool = False
    ledger: bool = False
    logging: bool = False
    needs_restart: tuple[str, ...] = ()

    @property
    def stopped(self) -> tuple[str, ...]:
        """The inverters whose actor ends, for good or to be replaced."""
        return (*self.removed, *self.replaced)

    @property
    def started(self) -> tuple[str, ...]:
        """The inverters that get a new actor."""
        return (*self.added, *self.replaced)

    def __bool__(self) -> bool:
        return bool(self.all() or self.needs_restart)

    def all(self) -> tuple[Reason, ...]:
        """What changes, one after the other."""
        return tuple(_all(self))

    def lines(self) -> tuple[str, ...]:
        """The same in words, one plain line each."""
        return tuple(map(say_change, self.all()))


def changes_between(former: SiteConfig, new: SiteConfig) -> Changes:
    """What has to be done so that a plant of `former` becomes one of `new`."""
    before = {inverter.name: inverter for inverter in former.inverters}
    after = {inverter.name: inverter for inverter in new.inverters}
    added = tuple(name for name in after if name not in before or _is_another(before[name], after[name]))
    removed = tuple(name for name in before if name not in after or _is_another(before[name], after[name]))
    stay = [name for name in after if name in before and name not in added]
    lost = tuple(name for name in stay if _is_written(former, before[name]) and not _is_written(new, after[name]))
    return Changes(
        added=added,
        removed=removed,
        replaced=tuple(name for name in stay if before[name] != after[name]),
        handed_back=(*(name for name in removed if _is_written(former, before[name])), *lost),
        freed_batteries=tuple(
            name
            for name in stay
            if name not in lost and _commands_battery(former, before[name]) and not _commands_battery(new, after[name])
        ),
        meter=_meter_of(former) != _meter_of(new),
        site=any(getattr(former, section) != getattr(new, section) for section in SECTIONS_OF_THE_SITE)
        or _source_addresses(former) != _source_addresses(new),
        mqtt=(former.setpoints.mqtt, former.publish) != (new.setpoints.mqtt, new.publish),
        metrics=former.metrics != new.metrics,
        page=former.page != new.page,
        logging=former.logging != new.logging,
        ledger=former.ledger != new.ledger,
        needs_restart=tuple(_needs_restart(former, new)),
    )


def forgotten_sources(former: SiteConfig, new: SiteConfig) -> tuple[str, ...]:
    """The setpoint sources whose last message must not hold any more: they are gone, or are another topic now."""
    now = _source_addresses(new)
    return tuple(name for name, address in _source_addresses(former).items() if now.get(name) != address)


def _source_addresses(config: SiteConfig) -> dict[str, tuple[object, ...]]:
    """Where the setpoints of each source come from, and what its messages are, by its name."""
    addresses: dict[str, tuple[object, ...]] = {
        source.name: (source.host, source.port, source.topic, source.prices is None, source.contact is None)
        for source in config.setpoints.mqtt
    }
    addresses |= {each.name: (each.prices_file,) for each in config.setpoints.price_files}
    guard = config.setpoints.voltage_guard
    addresses |= {} if guard is None else {guard.name: ()}
    addresses |= {
        each.name: (each.host, each.port, each.unit_id, each.table, each.address, each.count)
        for each in config.setpoints.modbus_contacts
    }
    utility = config.setpoints.csip_aus
    if utility is not None:
        addresses[utility.name] = (utility.server, utility.certificate_file)
    entered = config.publish.for_home_assistant
    if entered is not None:
        addresses[HOME_ASSISTANT] = (entered.host, entered.port, entered.topic)
    published = config.publish.mqtt
    if published is not None and published.portfolio is not None:
        addresses[PORTFOLIO] = (published.host, published.port, published.topic)
    return addresses


def _is_another(before: AnyInverterConfig, after: AnyInverterConfig) -> bool:
    """Whether a name leads to another device now."""
    return _device(before) != _device(after)


def _device(inverter: AnyInverterConfig) -> tuple[object, ...]:
    if isinstance(inverter, InverterConfig):
        return inverter.driver, str(inverter.way), inverter.unit_id, inverter.profile, inverter.units
    return inverter.driver, inverter.host, inverter.port, inverter.topic


def _meter_of(config: SiteConfig) -> tuple[object, ...]:
    """All that its actor is started with."""
    return config.meter, config.control.interval_s, meter_silent_after_s(config)


def _is_written(config: SiteConfig, inverter: AnyInverterConfig) -> bool:
    return config.control.enabled and inverter.control


def _commands_battery(config: SiteConfig, inverter: AnyInverterConfig) -> bool:
    return config.control.enabled and batteries_are_ours(config, inverter)


def _needs_restart(former: SiteConfig, new: SiteConfig) -> Iterator[str]:
    if former.control.state_dir != new.control.state_dir:
        yield "control.state_dir: what was found at the inverters is kept there; restart the orchestrator to move it"
    if former.site.name != new.site.name:
        yield "site.name: every metric and report of this run carries it; restart the orchestrator to change it"


def _all(changes: Changes) -> Iterator[Reason]:
    for name in changes.added:
        yield because("inverter_is_another" if name in changes.removed else "inverter_added", name=name)
    for name in changes.removed:
        if name not in changes.added:
            is_handed_back = name in changes.handed_back
            yield because("inverter_removed_handed_back" if is_handed_back else "inverter_removed", name=name)
    for name in changes.replaced:
        yield because("inverter_changed", name=name)
    for name in (name for name in changes.handed_back if name not in changes.removed):
        yield because("inverter_handed_back", name=name)
    for name in changes.freed_batteries:
        yield because("battery_left", name=name)
    if changes.site:
        yield because("rules_changed")
    for section in ("meter", "mqtt", "metrics", "page", "ledger", "logging"):
        if getattr(changes, section):
            yield because("section_changed", section=section)
