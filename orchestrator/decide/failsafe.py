"""What holds when something is missing: the meter is silent, or the orchestrator itself is about to go.

Most inverters' own default is "unlimited". Where export is limited, what stays behind must be safe at zero load.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import fsum
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from orchestrator.commands import BatteryCommand, InverterCommand
from orchestrator.config.policy import batteries_are_ours, limits_stay
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.allocation.spread import share_by_weight
from orchestrator.decide.memory import InverterMemory
from orchestrator.decide.plant.made import made_then_watts
from orchestrator.decide.plant.others import others_left_alone_watts, takes_limit
from orchestrator.decide.plant.phases import within_each_phase
from orchestrator.decide.plant.units import Plant, Unit
from orchestrator.reason import because
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope

LIMITED_PART_OF_RATING = 0.99
"""While the room is not enough for all, each is held by a limit, be it little below its rating."""

NO_MEMORIES: Final[Mapping[str, InverterMemory]] = MappingProxyType({})


def safe_room_watts(config: SiteConfig, wanted: SetpointFields, others_watts: float = 0.0) -> float | None:
    """The most AC power that is safe at zero load, in W; None where neither export nor generation is limited.

    `others_watts` is what may be made beside it, by inverters whose limits we do not set.
    """
    rooms = [] if wanted.generation_limit_watts is None else [wanted.generation_limit_watts]
    if wanted.export_limit_watts is not None:
        rooms.append(min(config.control.failsafe.export_limit_watts, wanted.export_limit_watts))
    return max(min(rooms) - others_watts, 0.0) if rooms else None


def share_by_nameplate(room_watts: float, ratings_watts: dict[str, float]) -> dict[str, float]:
    """Limits that add up to the room, in proportion to ratings."""
    total = fsum(ratings_watts.values())
    return {name: min(room_watts * r / total, r) if total else 0.0 for name, r in ratings_watts.items()}


def safe_limits(plant: Plant, room_watts: float) -> dict[str, float]:
    """AC limits while the load is unknown: for every inverter that takes one from us, battery inverters too.

    The room goes to what PV made when the meter fell silent, first where no battery can store it; then by nameplate.
    """
    able = _able(plant)
    ratings = {u.name: u.rating_watts or 0.0 for u in able}
    if room_watts >= fsum(ratings.values()):
        return ratings
    ratings = {name: LIMITED_PART_OF_RATING * rating for name, rating in ratings.items()}
    made = {u.name: min(made_then_watts(u), ratings[u.name]) for u in able}
    storing = {u.name for u in able if u.battery is not None and u.battery.below_max}
    unstored = {name: 0.0 if name in storing else watts for name, watts in made.items()}
    limits = dict.fromkeys(ratings, 0.0)
    for most, weights in ((unstored, made), (made, made), (ratings, ratings)):
        wants = {name: most[name] - min(limits[name], most[name]) for name in limits}
        left_watts = max(room_watts - fsum(limits.values()), 0.0)
        more = share_by_weight(left_watts, wants, {name: max(watts, 1.0) for name, watts in weights.items()})
        limits = {name: watts + more.get(name, 0.0) for name, watts in limits.items()}
    return limits


def safe_limits_left(plant: Plant, room_watts: float) -> dict[str, float]:
    """The same for the time after us, by nameplate: the sun will be another one."""
    return share_by_nameplate(room_watts, {u.name: u.rating_watts or 0.0 for u in _able(plant)})


def _able(plant: Plant) -> list[Unit]:
    return [u for u in plant.units if u.rating_watts is not None and takes_limit(u.config, u.sample)]


def final_commands(
    config: SiteConfig,
    envelope: OperatingEnvelope,
    snapshot: SiteSnapshot,
    memories: Mapping[str, InverterMemory] = NO_MEMORIES,
) -> tuple[InverterCommand, ...]:
    """What is written on a clean stop: batteries to themselves, AC limits as `failsafe.when_lost` says.

    Under `stay`, with a limit in force, the limit that stays is safe at zero load and has no revert time. `memories`
    are of the last step: they know which limits were commanded of those that are away now.
    """
    room = None
    if limits_stay(config):
        room = safe_room_watts(config, envelope.fields, others_left_alone_watts(config, memories, snapshot))
    return _last_commands(config, snapshot, room)


def hands_off_commands(
    config: SiteConfig,
    envelope: OperatingEnvelope,
    snapshot: SiteSnapshot,
    memories: Mapping[str, InverterMemory] = NO_MEMORIES,
) -> tuple[InverterCommand, ...]:
    """What is written when people take the plant out of control while it runs: batteries to themselves, and no limit
    is lifted by that.

    Whatever `failsafe.when_lost` says, a limit that is in force stays, safe at zero load: nothing at all where the site
    is not to be energized or connected. Where a source was never heard, what the devices show stays.
    """
    wanted = envelope.fields
    room = safe_room_watts(config, wanted, others_left_alone_watts(config, memories, snapshot))
    if wanted.energize is False or wanted.connect is False:
        room = 0.0
    commands = _last_commands(config, snapshot, room)
    if room is not None or not envelope.unheard:
        return commands
    shown = {each.name: each.ac_limit_watts for each in snapshot.inverters}
    return tuple(replace(each, ac_limit_watts=shown.get(each.inverter)) for each in commands)


def _last_commands(config: SiteConfig, snapshot: SiteSnapshot, room: float | None) -> tuple[InverterCommand, ...]:
    """`room` is shared by those that take a limit; None: no limit stays."""
    if not config.control.enabled:
        return ()
    inverters = [i for i in config.inverters if i.control and snapshot.inverter(i.name) is not None]
    ratings = {}
    for inverter in inverters:
        sample = snapshot.inverter(inverter.name)
        rating = sample.nameplate.ac_max_watts if sample else None
        if rating is not None and sample is not None and takes_limit(inverter, sample):
            ratings[inverter.name] = rating
    limits = {} if room is None else within_each_phase(config, share_by_nameplate(room, ratings), room)
    return tuple(
        InverterCommand(
            inverter=inverter.name,
            valid_for_s=config.control.revert_s,
            ac_limit_watts=limits.get(inverter.name),
            ac_limit_reverts=False,
            battery=BatteryCommand.release() if batteries_are_ours(config, inverter) else None,
            reasons=(because("stop_safe_limit" if inverter.name in limits else "stop_released"),),
        )
        for inverter in inverters
    )


def blind_commands(
    config: SiteConfig, envelope: OperatingEnvelope, names: Collection[str]
) -> tuple[InverterCommand, ...]:
    """What those inverters are told at an end of whom nobody knows what they make: nothing more, where limits stay."""
    if not config.control.enabled:
        return ()
    stays = limits_stay(config) and safe_room_watts(config, envelope.fields) is not None
    return tuple(
        InverterCommand(
            inverter=inverter.name,
            valid_for_s=config.control.revert_s,
            ac_limit_watts=0.0 if stays else None,
            ac_limit_reverts=False,
            battery=BatteryCommand.release() if batteries_are_ours(config, inverter) else None,
            reasons=(because("stop_safe_limit" if stays else "stop_released"),),
        )
        for inverter in config.inverters
        if inverter.control and inverter.name in names
    )


def release_command(inverter: str) -> InverterCommand:
    """Hand one device back entirely: no limit, battery to itself. For `orchestrator release`."""
    return InverterCommand(
        inverter=inverter, valid_for_s=60, battery=BatteryCommand.release(), reasons=(because("released_by_hand"),)
    )
