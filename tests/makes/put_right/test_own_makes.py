"""A make of a site's own folder, and where further units of a device are: keys of site.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.system import DRIVERS
from orchestrator.config.file import load_config
from orchestrator.config.sections import InverterConfig
from orchestrator.devices.drivers import driver_of
from orchestrator.devices.makes.library import load_profile
from orchestrator.errors import ConfigError
from tests.makes.test_makes import MAKES, ask
from tests.support.plants.made_site import made

OWN = """\
name: my-sungrow
like: sungrow-sh
link: {unit_id: 9, timeout_s: 4}
"""
SITE = """\
site: {{name: home}}
meter: {{host: 10.0.0.1}}
inverters:
  - {{name: east, host: 10.0.0.2, {keys}}}
"""


def site_of(folder: Path, keys: str, own: str = OWN) -> InverterConfig:
    (folder / "makes").mkdir()
    (folder / "makes/my.yaml").write_text(own)
    (folder / "site.yaml").write_text(SITE.format(keys=keys))
    inverter = load_config(folder / "site.yaml", environ={}).inverter("east")
    assert isinstance(inverter, InverterConfig)
    return inverter


def mistakes(folder: Path, keys: str, own: str = OWN) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        site_of(folder, keys, own)
    return [str(problem) for problem in caught.value.problems]


def test_a_profile_is_beside_the_site_and_says_what_it_needs_of_the_connection(tmp_path: Path) -> None:
    inverter = site_of(tmp_path, "profile: makes/my.yaml, timeout_s: 5")

    assert inverter.profile == str(tmp_path / "makes/my.yaml")
    assert (inverter.unit_id, inverter.timeout_s) == (9, 5.0)
    assert driver_of(inverter, DRIVERS).name == "my-sungrow"


def test_what_is_wrong_in_it_is_told_with_its_file_line_and_key(tmp_path: Path) -> None:
    (problem,) = mistakes(tmp_path, "profile: makes/my.yaml", OWN + "registers:\n  heartbeat: {addres: 5}\n")

    assert problem.startswith("4:34: inverters[0].profile: ")
    assert f"{tmp_path}/makes/my.yaml:5:15: registers.heartbeat.addres: unknown key 'addres'" in problem


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("profile: makes/none.yaml", "there is no such file"),
        ("profile: makes/my.yaml, driver: sma", "takes 'driver' or 'profile', and not both"),
        ("driver: victron-gx, units: {vbus: 228}", "'vbus' is none of the further units; did you mean 'vebus'?"),
        ("driver: sma, units: {vebus: 228}", "units.vebus: 'vebus' is none of the further units; its make has none"),
        ("units: {vebus: 300}", "its make has none"),
    ],
)  # fmt: skip
def test_a_wrong_choice_is_told(tmp_path: Path, keys: str, says: str) -> None:
    assert says in "\n".join(mistakes(tmp_path, keys))


def test_a_make_of_ones_own_is_commanded_as_one_that_is_delivered(tmp_path: Path) -> None:
    own = tmp_path / "my.yaml"
    own.write_text(f"name: mine\nlike: sungrow-sh\ndevices: {load_profile('sungrow-sh').devices!r}\n")
    with made("sungrow-sh", MAKES["sungrow-sh"].plant, tmp_path) as site:
        site.config = site.config.model_copy(update={"profile": str(own)})
        site.start()
        ask(site, "sungrow-sh", 2000.0, 2000.0)

        assert site.battery_watts == pytest.approx(2000.0, abs=70.0)
