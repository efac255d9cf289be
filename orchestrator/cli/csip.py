"""`orchestrator csip-aus`: what a network wants to know to register a site.

As in `main`: what a command needs is loaded when it is used.
"""

from __future__ import annotations

import argparse

from orchestrator.cli.common import DONE, SubCommands, add_command


def add_csip(commands: SubCommands) -> None:
    """Add the command."""
    parser = add_command(commands, "csip-aus", "show who a site is at a utility server that speaks CSIP-AUS", _lfdi)
    inner = parser.add_subparsers(required=True, metavar="WHAT")
    lfdi = add_command(inner, "lfdi", "show the LFDI and SFDI of a certificate; the network registers them", _lfdi)
    lfdi.add_argument("certificate", metavar="CERTIFICATE.pem", help="the certificate of the site, in PEM format")


def _lfdi(options: argparse.Namespace) -> int:
    from actors.commands.run.csip.configured import require_csip  # noqa: PLC0415

    require_csip()
    from actors.commands.run.csip.certificates import identity_of  # noqa: PLC0415

    identity = identity_of(options.certificate)
    print(f"LFDI: {identity.lfdi} ({identity.grouped})")
    print(f"SFDI: {identity.sfdi}")
    return DONE
