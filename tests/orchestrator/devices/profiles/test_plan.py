"""Which registers are read together: all that are needed, in requests that a device can take."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.devices.addresses import place_of
from orchestrator.devices.base import ReadRequest, Role
from orchestrator.devices.makes.registers import WORDS_MAX, Register
from orchestrator.devices.makes.schema import Profile
from orchestrator.devices.profiles.device import ProfileDevice
from orchestrator.devices.profiles.plan import (
    are_in_one_table,
    cycle_names,
    fixed_names,
    meter_names,
    requests,
    without,
    written_names,
)
from tests.orchestrator.devices.profiles.makes import DRIVERS, NAMES, device_of_make, found, image_of

ROLES: tuple[Role, ...] = ("inverter", "meter")


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Registers anywhere, in both tables and at several units, without shared words."""
    spots = draw(
        st.lists(
            st.tuples(
                st.integers(0, 400) | st.integers(65400, 65530),
                st.sampled_from(["u16", "i32", "f32", "u64"]),
                st.sampled_from(["holding", "input"]),
                st.sampled_from([None, 1, 2, 255]),
            ),
            min_size=1,
            max_size=25,
        )
    )
    registers: dict[str, Register] = {}
    taken: set[int] = set()
    for address, kind, table, unit_id in spots:
        it = Register.model_validate({"address": address, "type": kind, "table": table, "unit_id": unit_id})
        places = set(range(it.place, it.end))
        if not places & taken:
            taken |= places
            registers[f"r{len(registers)}"] = it
    base = DRIVERS["sma"].profile
    most_words = draw(st.sampled_from([4, 11, 50, WORDS_MAX]))
    gap_words = draw(st.integers(0, 100))
    return base.model_copy(update={"registers": registers, "read_gap_words": gap_words, "read_words_max": most_words})


def covered(planned: tuple[ReadRequest, ...]) -> list[int]:
    return [at for request in planned for at in range(request.address, request.address + request.count)]


@given(profiles())
def test_reads_cover_what_is_needed_once_and_nothing_that_a_device_cannot_take(profile: Profile) -> None:
    planned = requests(profile, profile.registers)
    places = {at for it in profile.registers.values() for at in range(it.place, it.end)}
    words = covered(planned)

    assert places <= set(words)
    assert len(words) == len(set(words))
    for request in planned:
        assert 1 <= request.count <= profile.read_words_max
        assert place_of(request.address).address + request.count <= 0x10000
        inside = sorted(places & set(range(request.address, request.address + request.count)))
        assert inside[0] == request.address
        assert inside[-1] == request.address + request.count - 1
        holes = [after - before - 1 for before, after in pairwise(inside)]
        assert max(holes, default=0) <= profile.read_gap_words


@given(profiles())
def test_without_gaps_no_other_word_is_read(profile: Profile) -> None:
    places = {at for it in profile.registers.values() for at in range(it.place, it.end)}

    assert set(covered(requests(profile, profile.registers, gap_words=0))) == places


def test_the_last_register_of_one_table_is_not_read_with_the_first_of_another() -> None:
    last = Register(address=65535)
    first = Register(address=0, unit_id=1)
    profile = DRIVERS["sma"].profile.model_copy(update={"registers": {"last": last, "first": first}})

    assert first.place == last.end
    assert not are_in_one_table(last.place, first.place)
    assert requests(profile, profile.registers) == (ReadRequest(65535, 1), ReadRequest(65536, 1))


def test_a_request_ends_at_125_words() -> None:
    registers = {f"r{at}": Register(address=at, type="u32") for at in (0, 60, 123, 125)}
    profile = DRIVERS["sma"].profile.model_copy(update={"registers": registers, "read_gap_words": 100})

    assert requests(profile, registers) == (ReadRequest(0, 125), ReadRequest(125, 2))


@pytest.mark.parametrize("name", NAMES)
def test_the_reads_of_a_make_are_within_bounds_and_complete(name: str) -> None:
    driver = DRIVERS[name]
    device = device_of_make(name)
    profile = driver.profile
    planned = driver.plan_reads(device)
    words = covered(planned)

    assert all(1 <= request.count <= WORDS_MAX for request in (*planned, *driver.plan_readback(device)))
    assert len(words) == len(set(words))
    for key in device.names:
        assert set(range(profile.registers[key].place, profile.registers[key].end)) <= set(words)
    shown = set(covered(driver.plan_readback(device)))
    for key in written_names(profile):
        assert set(range(profile.registers[key].place, profile.registers[key].end)) <= shown


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("role", ROLES)
def test_a_block_that_is_refused_is_split_and_what_is_refused_alone_is_left_out(name: str, role: Role) -> None:
    profile = DRIVERS[name].profile
    if role == "meter" and profile.meter is None:
        return
    device = found(name, image_of(name), role)
    names = meter_names(profile) if role == "meter" else cycle_names(profile)
    own = [read for read in device.reads if device.base is None or read not in device.base.reads]
    for read in own:
        split = without(device, read)
        parts = [part for part in split.reads if part not in device.reads]
        wanted = {profile.registers[key].place: profile.registers[key] for key in names}
        inside = [it for place, it in wanted.items() if read.address <= place < read.address + read.count]

        assert parts == (
            [ReadRequest(it.place, it.size) for it in sorted(inside, key=lambda it: it.place)]
            if len(inside) > 1 or inside[0].size != read.count
            else []
        )
        for part in parts:
            left = without(split, part)
            assert part not in left.reads
            assert len(left.reads) == len(split.reads) - 1


def test_a_device_that_refuses_everything_ends_without_reads() -> None:
    device: ProfileDevice = device_of_make("goodwe-et")
    for _ in range(100):
        if device.reads:
            device = DRIVERS["goodwe-et"].without(device, device.reads[0])

    assert device.reads == ()


def test_a_refused_read_of_the_sunspec_map_leaves_the_makes_own_reads_alone() -> None:
    name = "kostal-plenticore"
    device = device_of_make(name)
    assert device.base is not None
    own = [read for read in device.reads if read not in device.base.reads]
    after = DRIVERS[name].without(device, device.base.reads[0])

    assert after.base is not None
    assert device.base.reads[0] not in after.reads
    assert [read for read in after.reads if read not in after.base.reads] == own


@pytest.mark.parametrize("name", NAMES)
def test_what_does_not_change_is_not_read_in_each_cycle(name: str) -> None:
    """Except where a sample needs it."""
    profile = DRIVERS[name].profile
    plate = profile.nameplate
    texts = [] if plate is None else [key for key in (plate.model, plate.version, plate.serial) if key is not None]

    assert set(texts) <= set(fixed_names(profile))
    assert not set(texts) & set(cycle_names(profile))


def test_the_plan_of_a_device_follows_its_role() -> None:
    inverter = found("goodwe-et", image_of("goodwe-et"), "inverter")
    meter = found("goodwe-et", image_of("goodwe-et"), "meter")

    assert inverter.names == cycle_names(inverter.profile)
    assert meter.names == meter_names(meter.profile)
    assert replace(meter, names=inverter.names, reads=inverter.reads) == inverter
