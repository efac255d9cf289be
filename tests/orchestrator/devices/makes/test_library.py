"""The makes that are delivered: each is a good profile, says where it is from, and has no word too many."""

from __future__ import annotations

from pathlib import Path

import pytest

import orchestrator.devices.makes
from orchestrator.devices.drivers import DriverLibrary
from orchestrator.devices.makes.library import load_profile, meter_profile_names, profile_names
from orchestrator.devices.makes.schema import writes_of
from orchestrator.devices.profiles.driver import ProfileDriver
from orchestrator.devices.profiles.plan import fixed_names, meter_names, sample_names

MAKES = Path(orchestrator.devices.makes.__file__).parent
ALL = (*profile_names(), *meter_profile_names())


@pytest.mark.parametrize(("folder", "names"), [("inverters", profile_names()), ("meters", meter_profile_names())])
def test_every_file_is_a_make_and_every_make_is_a_file(folder: str, names: tuple[str, ...]) -> None:
    assert set(names) == {path.stem for path in (MAKES / folder).glob("*.yaml")}
    assert {path.suffix for path in (MAKES / folder).iterdir()} == {".yaml"}


@pytest.mark.parametrize("name", meter_profile_names())
def test_a_meter_is_a_meter_and_nothing_else(name: str) -> None:
    profile = load_profile(name)

    assert profile.is_meter
    assert list(writes_of(profile)) == []
    assert len(profile.documents) >= 2


@pytest.mark.parametrize("name", profile_names())
def test_a_make_rests_on_two_sources_and_a_standard_on_itself(name: str) -> None:
    profile = load_profile(name)
    use = profile.sunspec

    assert len(profile.documents) >= 2 or (use is not None and use.generation)


@pytest.mark.parametrize("name", profile_names())
def test_a_make_that_nobody_here_has_seen_and_that_is_commanded_says_what_is_in_doubt(name: str) -> None:
    profile = load_profile(name)
    by_standard = (
        profile.sunspec is not None and profile.sunspec.generation is not None and not profile.sunspec.manufacturer
    )

    assert profile.doubts or profile.tried_on_hardware or profile.read_only is not None or by_standard


@pytest.mark.parametrize("name", profile_names())
def test_a_make_that_writes_nothing_says_why(name: str) -> None:
    profile = load_profile(name)
    use = profile.sunspec
    commands = any(writes_of(profile)) or (use is not None and (use.ac_limit or use.battery))

    assert commands == (profile.read_only is None)


def test_no_make_of_inverters_is_a_meter_only() -> None:
    assert not any(load_profile(name).is_meter for name in profile_names())


@pytest.mark.parametrize("name", ALL)
def test_a_make_calls_itself_as_its_file(name: str) -> None:
    assert load_profile(name).name == name


@pytest.mark.parametrize("name", ALL)
def test_each_register_of_a_make_is_read_or_written(name: str) -> None:
    profile = load_profile(name)
    written = [write.register_ for write in writes_of(profile)]
    used = {*fixed_names(profile), *sample_names(profile), *meter_names(profile), *written}

    assert set(profile.registers) - used == set()


@pytest.mark.parametrize("name", profile_names())
def test_a_make_can_be_told_from_others(name: str) -> None:
    profile = load_profile(name)
    use = profile.sunspec

    assert profile.identity or (use is not None and (use.manufacturer or use.generation))


def test_a_name_that_is_none_is_a_key_error() -> None:
    for name in ("nothing", "../schema", ""):
        with pytest.raises(KeyError):
            load_profile(name)


def test_the_library_has_a_driver_for_each_make_and_makes_it_once() -> None:
    library = DriverLibrary()

    assert list(library) == ["sunspec", *ALL]
    assert len(library) == 1 + len(ALL)
    for name in ALL:
        driver = library[name]
        assert isinstance(driver, ProfileDriver)
        assert driver.name == name
        assert library[name] is driver
    assert "mqtt" not in library
