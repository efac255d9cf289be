"""The thread of a utility server over real TLS: what is told, and which certificates are refused."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from actors.commands.run.csip.certificates import CertificateRefused, check_certificate, identity_of
from actors.commands.run.csip.configured import UtilityServer, require_usable
from actors.messages import SetpointReceived
from orchestrator.cli.main import main
from orchestrator.config.sections import SiteConfig
from orchestrator.config.sources.csip_aus import CsipAusSource
from orchestrator.setpoints.fields import SetpointFields
from tests.support.inboxes import Inbox
from tests.support.records.cycles import cycle_result, site_config
from tests.support.servers.required import free_port, wait_until
from tests.system.csip.certificates import Authority
from tests.system.csip.server import Served, Utility


@dataclass
class World:
    """One authority, one server, and the sites that speak to it."""

    folder: Path
    authority: Authority
    certificate: tuple[Path, Path]
    utility: Utility
    inbox: Inbox = field(default_factory=Inbox)
    sites: list[UtilityServer] = field(default_factory=list)
    port: int = 0

    def section(self, **values: Any) -> CsipAusSource:
        usual = {
            "server": f"https://127.0.0.1:{self.port}/dcap",
            "ca_file": str(self.authority.file),
            "certificate_file": str(self.certificate[0]),
            "key_file": str(self.certificate[1]),
            "rated_watts": 5000.0,
            "timeout_s": 60.0,
            "default": SetpointFields(export_limit_watts=0.0),
        }
        return CsipAusSource.model_validate(usual | values)

    def config(self, **values: Any) -> SiteConfig:
        return site_config(setpoints={"csip_aus": self.section(**values)})

    def start(self, **values: Any) -> UtilityServer:
        site = UtilityServer()
        self.sites.append(site)
        site.begin(self.config(**values), self.inbox.tell)
        site.tell(cycle_result())
        return site

    def told(self) -> list[float | None]:
        """The export limits at the end of each plan: where its ramp leads to."""
        found = [each.setpoint for each in list(self.inbox.messages) if isinstance(each, SetpointReceived)]
        return [each.plan[-1].fields.export_limit_watts for each in found]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    authority = Authority(tmp_path)
    certificate = authority.sign("site")
    utility = Utility(identity_of(certificate[0]).lfdi, time.time)
    program = utility.add_program()
    program.default = {"opModExpLimW": 1200, "setGradW": 1000}
    with Served(utility, authority.sign("server"), authority.file) as served:
        world = World(tmp_path, authority, certificate, utility, port=served.port)
        yield world
        for site in world.sites:
            site.stop()


def test_what_the_server_asks_for_is_told_and_the_site_is_shown_to_it(world: World) -> None:
    event = world.utility.add_event(world.utility.programs[0], 600, opModExpLimW=2500, ramp_s=0.0)
    world.start(version="1.3")
    wait_until(lambda: 2500.0 in world.told(), "the limit of the event")
    wait_until(lambda: [code for _, code in world.utility.responses(event.mrid)] == [1, 2], "the responses")
    wait_until(lambda: "/edev/1/der/1/ders" in world.utility.put, "the status")
    wait_until(lambda: world.utility.readings("0003", 38) == [-500.0], "the power of the site")
    wait_until(lambda: world.utility.readings("0049", 72) == [5000.0], "the energy in its battery")


@pytest.mark.long
def test_a_bug_is_said_and_the_client_begins_anew(world: World, caplog: pytest.LogCaptureFixture) -> None:
    site = world.start()
    wait_until(lambda: 1200.0 in world.told(), "the default control")
    told = len(world.told())
    site.tell(replace(cycle_result(), snapshot=None))
    wait_until(lambda: "this should not happen" in caplog.text, "that there is a bug")
    site.tell(cycle_result())
    wait_until(lambda: len(world.told()) > told, "that it is told again")


@pytest.mark.long
def test_a_server_that_is_away_is_said_once_and_found_when_it_comes(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.utility.online = False
    world.start()
    wait_until(lambda: "until it is heard the default of site.yaml holds" in caplog.text, "that it is away")
    world.utility.online = True
    wait_until(lambda: 1200.0 in world.told(), "its default control")
    assert caplog.text.count("until it is heard") == 1


def test_a_server_that_somebody_else_has_signed_is_refused(world: World, caplog: pytest.LogCaptureFixture) -> None:
    stranger = Authority(world.folder, "stranger")
    world.start(ca_file=str(stranger.file))
    wait_until(
        lambda: f"the certificate of 127.0.0.1:{world.port} is refused: self-signed certificate" in caplog.text,
        "the refusal",
    )
    assert world.utility.asked == []


def test_a_server_whose_certificate_is_for_another_name_is_refused(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.start(server_name="utility.example")
    wait_until(lambda: "is refused: Hostname mismatch" in caplog.text, "the refusal")


def test_a_server_whose_certificate_has_expired_is_refused(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with Served(world.utility, world.authority.sign("old", valid_days=(-9, -1)), world.authority.file) as served:
        world.port = served.port
        world.start()
        wait_until(lambda: "is refused: certificate has expired" in caplog.text, "the refusal")


def test_a_certificate_that_the_server_does_not_take_is_said(world: World, caplog: pytest.LogCaptureFixture) -> None:
    certificate, key = Authority(world.folder, "stranger").sign("strange")
    world.start(certificate_file=str(certificate), key_file=str(key))
    wait_until(lambda: "refuses the certificate of this site" in caplog.text, "the refusal")
    assert world.utility.asked == []


def test_a_site_that_the_server_does_not_know_is_told_its_lfdi(world: World, caplog: pytest.LogCaptureFixture) -> None:
    lfdi, world.utility.lfdi = world.utility.lfdi, "CD" * 20
    world.start()
    wait_until(lambda: f"none of its 2 end devices has the LFDI {lfdi}" in caplog.text, "that it is unknown")
    assert world.told() == []


def test_another_pin_than_that_of_site_yaml_is_refused(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.start(pin=123455)
    wait_until(lambda: "the server has another PIN for this site (111115)" in caplog.text, "the refusal")
    assert world.told() == []


def test_a_certificate_of_another_site_is_refused(world: World) -> None:
    other = identity_of(world.authority.sign("other")[0])
    own = identity_of(world.certificate[0])

    with pytest.raises(
        CertificateRefused, match=rf"that of another site: its LFDI is {own.grouped}, and .*{other.lfdi}"
    ):
        require_usable(world.config(lfdi=other.lfdi))
    require_usable(world.config(lfdi=own.grouped))


@pytest.mark.parametrize(
    ("valid_days", "says"), [((-9, -1), "has expired on"), ((5, 9), "is the clock of this machine right")]
)
def test_a_certificate_whose_time_is_not_now_is_refused(world: World, valid_days: tuple[int, int], says: str) -> None:
    certificate, key = world.authority.sign("untimely", valid_days=valid_days)

    with pytest.raises(CertificateRefused, match=says):
        check_certificate(world.section(certificate_file=str(certificate), key_file=str(key)), datetime.now(UTC))


@pytest.mark.parametrize("key", ["ca_file", "certificate_file", "key_file"])
def test_a_file_that_is_missing_or_holds_something_else_is_named(world: World, key: str) -> None:
    wrong = world.folder / "wrong.pem"
    for _ in range(2):
        with pytest.raises(CertificateRefused, match=r"wrong\.pem"):
            require_usable(world.config(**{key: str(wrong)}))
        wrong.write_text("nothing")


def test_a_key_of_another_certificate_is_refused(world: World) -> None:
    with pytest.raises(CertificateRefused, match=r"it is no key of .*site\.pem"):
        require_usable(world.config(key_file=str(world.authority.sign("other")[1])))


def test_another_section_ends_the_thread_and_begins_another(world: World) -> None:
    site = world.start()
    wait_until(lambda: 1200.0 in world.told(), "the default control")
    site.configure(world.config(name="network"))
    wait_until(lambda: any(t.name == "utility-network" for t in threading.enumerate()), "the new thread")
    site.configure(site_config())
    wait_until(lambda: not any(t.name.startswith("utility-") for t in threading.enumerate()), "the end of the threads")


def test_the_lfdi_is_shown_by_a_command(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    identity = identity_of(world.certificate[0])

    assert main(["csip-aus", "lfdi", str(world.certificate[0])]) == 0
    assert f"LFDI: {identity.lfdi}" in (out := capsys.readouterr().out)
    assert f"SFDI: {identity.sfdi}" in out
    assert main(["csip-aus", "lfdi", str(world.certificate[1])]) == 2
    assert "there is no certificate in PEM format" in capsys.readouterr().err


@pytest.mark.long
def test_nothing_of_it_is_loaded_where_no_server_is_configured() -> None:
    program = (
        "import sys, actors.commands.run.run\n"
        "from actors.commands.run.csip.configured import UtilityServer, require_usable\n"
        "from tests.support.records.cycles import site_config\n"
        "import threading\n"
        "before = threading.active_count()\n"
        "config, server = site_config(), UtilityServer()\n"
        "require_usable(config)\n"
        "server.begin(config, print)\n"
        "assert threading.active_count() == before\n"
        "print([each for each in sys.modules if 'setpoints.csip' in each or each.split('.')[0] == 'cryptography'])\n"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)

    assert shown.stdout.strip() == "[]"


def test_the_port_of_nobody_is_said(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.port = free_port()
    world.start()
    wait_until(lambda: f"127.0.0.1:{world.port} cannot be reached" in caplog.text, "that nobody is there")
