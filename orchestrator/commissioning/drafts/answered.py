"""The answers of a form, such as the page to set up a site, as the site that is chosen: the rules of `answers`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

import msgspec

from orchestrator.commissioning.drafts import answers
from orchestrator.commissioning.drafts.chosen_site import (
    ChosenInverter,
    ChosenMeter,
    ChosenSite,
    Limits,
    Served,
    has_battery,
)
from orchestrator.commissioning.drafts.comments import Language
from orchestrator.commissioning.drafts.meters import meters_among, sign_of, typed_meter
from orchestrator.commissioning.scan_report import FoundDevice, Kind
from orchestrator.documents.section import INVERTERS_MAX
from orchestrator.errors import UsageError

ValueT = TypeVar("ValueT")
BODY: Final = "answers"


class WrongAnswer(UsageError):
    """An answer that cannot be; `field` says which, such as `export_limit` or `inverters.0.name`."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


class InverterAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One inverter. `device` is the `key_of` one that was found; the others are as they are typed."""

    device: str
    name: str
    rating: str = answers.NONE
    capacity: str = answers.NONE


class MeterAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The meter: `device` is the `key_of` one that was found, or its `address` and `driver` are typed."""

    device: str | None = None
    address: str = ""
    driver: str = ""
    sign: str = "auto"


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is asked, as it is typed. `meter` None: it is not known yet. `language`: of the comments."""

    inverters: tuple[InverterAnswer, ...]
    meter: MeterAnswer | None = None
    name: str = "home"
    timezone: str = "UTC"
    export_limit: str = "0"
    import_limit: str = answers.NONE
    soc_min: str = answers.NONE
    batteries: bool = False
    shadow: bool = True
    language: Language = "en"


class _Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    target: str


@dataclass(frozen=True, slots=True)
class Around:
    """What is not asked: where state is kept, and where the page is served once the site runs."""

    state_dir: str = "./state"
    served: Served = field(default_factory=Served)


def read_answers(body: bytes) -> Answers:
    """The answers in a JSON object. Raises WrongAnswer."""
    try:
        return msgspec.json.decode(body, type=Answers)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise WrongAnswer(str(wrong), BODY) from None


def read_meter(body: bytes) -> MeterAnswer:
    """The meter in a JSON object. Raises WrongAnswer."""
    try:
        return msgspec.json.decode(body, type=MeterAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise WrongAnswer(str(wrong), "meter") from None


def read_target(body: bytes) -> str:
    """Where devices are looked for, out of `{"target": "..."}`. Raises WrongAnswer."""
    try:
        return msgspec.json.decode(body, type=_Target).target.strip()
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise WrongAnswer(str(wrong), "target") from None


def key_of(device: FoundDevice) -> str:
    """What a device is called in the answers: it stays the same while more are found."""
    return f"{device.address} {device.driver}"


def inverters_among(found: Sequence[FoundDevice]) -> tuple[FoundDevice, ...]:
    """What of it may be an inverter of the site."""
    return tuple(device for device in found if device.kind is not Kind.METER)


def chosen_site(given: Answers, found: Sequence[FoundDevice], around: Around) -> ChosenSite:
    """The site that is described. Raises WrongAnswer for the first answer that cannot be."""
    inverters = _inverters(given.inverters, found)
    return ChosenSite(
        name=_read("name", answers.title, given.name.strip()),
        inverters=inverters,
        meter=None if given.meter is None else chosen_meter(given.meter, found),
        timezone=_read("timezone", answers.timezone, given.timezone.strip()),
        limits=Limits(
            _read("export_limit", answers.limit, given.export_limit),
            _read("import_limit", answers.limit, given.import_limit),
            _read("soc_min", answers.percent, given.soc_min),
        ),
        controls=not given.shadow,
        commands_batteries=given.batteries and any(has_battery(each.device) for each in inverters),
        state_dir=around.state_dir,
        served=around.served,
        language=given.language,
    )


def chosen_meter(given: MeterAnswer, found: Sequence[FoundDevice]) -> ChosenMeter:
    """The meter that is meant. Raises WrongAnswer."""
    sign = _read("meter.sign", sign_of, given.sign)
    if given.device is None:
        return ChosenMeter(_read("meter.address", lambda text: typed_meter(text, given.driver), given.address), sign)
    return ChosenMeter(_known(given.device, meters_among(found), "meter.device"), sign)


def _inverters(given: Sequence[InverterAnswer], found: Sequence[FoundDevice]) -> tuple[ChosenInverter, ...]:
    if not 1 <= len(given) <= INVERTERS_MAX:
        raise WrongAnswer(f"a site has 1 to {INVERTERS_MAX} inverters, not {len(given)}", "inverters")
    known, chosen = inverters_among(found), list[ChosenInverter]()
    for index, each in enumerate(given):
        where = f"inverters.{index}"
        taken = [other.name for other in chosen]
        device = _known(each.device, known, f"{where}.device")
        if any(other.device is device for other in chosen):
            raise WrongAnswer(f"{each.device[:80]!r} is named twice", f"{where}.device")
        name = _read(f"{where}.name", partial(answers.name, taken=taken), each.name)
        rating = _read(f"{where}.rating", answers.positive, each.rating)
        capacity = _read(f"{where}.capacity", answers.positive, each.capacity)
        chosen.append(_completed(ChosenInverter(name, device), rating, capacity))
    return tuple(chosen)


def _completed(inverter: ChosenInverter, rating: float | None, capacity: float | None) -> ChosenInverter:
    """What the device says of itself is not taken from people."""
    plate = inverter.device.nameplate
    return ChosenInverter(
        inverter.name,
        inverter.device,
        ac_max_watts=rating if plate.ac_max_watts is None else None,
        capacity_wh=capacity if has_battery(inverter.device) and plate.capacity_wh is None else None,
    )


def _known(key: str, devices: Sequence[FoundDevice], field: str) -> FoundDevice:
    for device in devices:
        if key_of(device) == key:
            return device
    raise WrongAnswer(f"{key[:80]!r} is none of the devices that were found", field)


def _read(field: str, check: Callable[[str], ValueT], text: str) -> ValueT:
    try:
        return check(text)
    except UsageError as wrong:
        raise WrongAnswer(str(wrong), field) from None
