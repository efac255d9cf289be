"""`orchestrator run` with a utility server: a process of its own, real TLS, virtual devices over Modbus."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import pytest

from actors.commands.run.csip.certificates import identity_of
from orchestrator.cli.main import main
from tests.support.command_line import example_site, orchestrator
from tests.support.servers.required import wait_until
from tests.system.csip.certificates import Authority
from tests.system.csip.server import Served, Utility

SECTION = """setpoints:
  csip_aus:
    server: {url}
    ca_file: authority.pem
    certificate_file: site.pem
    key_file: site.key
    rated_watts: 17000
    default: {{export_limit_watts: 3000}}
"""


def site_with(folder: Path, url: str) -> Path:
    site = example_site(folder)
    before, _, rest = site.read_text().partition("\nsetpoints:")
    site.write_text(f"{before}\n{SECTION.format(url=url)}{rest[rest.index(chr(10) + 'publish:') :]}")
    return site


@pytest.mark.long
def test_a_site_follows_its_server_and_says_whose_limit_it_is(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, _ = authority.sign("site")
    utility = Utility(identity_of(certificate).lfdi, time.time)
    utility.rates.update(derp_list=5, der_list=5, mup_list=5, mup_post=5)
    program = utility.add_program()
    program.default = {"opModExpLimW": 1700, "setGradW": 10_000}
    with Served(utility, authority.sign("server"), authority.file) as served:
        site = site_with(tmp_path, served.url)
        assert main(["check", str(site)]) == 0
        with orchestrator(tmp_path, "run", str(site), "--demo") as running:
            running.wait_for_output("export limit 1700 W (default of csip-aus)")
            event = utility.add_event(program, 600, opModExpLimW=900)
            running.wait_for_output("export limit 900 W (csip-aus)")
            wait_until(lambda: [code for _, code in utility.responses(event.mrid)] == [1, 2], "the responses")
            wait_until(lambda: any(watts < -300 for watts in utility.readings("0003", 38)), "the power of the site")
            event.cancelled = True
            running.wait_for_output("export limit 1700 W (default of csip-aus)")
            wait_until(
                lambda: [code for _, code in utility.responses(event.mrid)] == [1, 2, 6], "that it was cancelled"
            )
            assert running.end(signal.SIGINT) == 0
            assert not re.search("Traceback", running.err)


@pytest.mark.long
def test_a_site_that_is_killed_starts_with_the_last_word_of_a_server_that_is_gone(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    utility = Utility(identity_of(authority.sign("site")[0]).lfdi, time.time)
    utility.rates.update(derp_list=5)
    program = utility.add_program()
    program.default = {"opModExpLimW": 1700, "setGradW": 10_000}
    event = utility.add_event(program, 600, opModExpLimW=900)
    kept = tmp_path / "state" / "csip_aus.json"
    with Served(utility, authority.sign("server"), authority.file) as served:
        site = site_with(tmp_path, served.url)
        with orchestrator(tmp_path, "run", str(site), "--demo") as running:
            running.wait_for_output("export limit 900 W (csip-aus)")
            wait_until(lambda: kept.exists() and event.mrid.lower() in kept.read_text(), "that it is kept")
            running.end(signal.SIGKILL)
    with orchestrator(tmp_path, "run", str(site), "--demo") as running:
        running.wait_for_output("export limit 900 W (csip-aus)")
        wait_until(lambda: "known events go on" in running.out + running.err, "that the server is gone")
        assert "3000 W (default of csip-aus)" not in running.out, "no decision without it"
        assert running.end(signal.SIGINT) == 0


def test_a_wrong_certificate_keeps_the_site_from_starting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    authority = Authority(tmp_path)
    authority.sign("site", valid_days=(-9, -1))
    site = site_with(tmp_path, "https://127.0.0.1:9/dcap")

    assert main(["check", str(site)]) == 2
    assert main(["run", str(site)]) == 2
    assert capsys.readouterr().err.count("site.pem: the certificate has expired on") == 2
