"""The start of the add-on: a site.yaml in shadow mode is drafted once, where a network was named, and then it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SITE = Path(os.environ.get("ORCHESTRATOR_SITE", "/config/site.yaml"))
OPTIONS = Path(os.environ.get("ORCHESTRATOR_OPTIONS", "/data/options.json"))
STATE = os.environ.get("ORCHESTRATOR_STATE", "/data/state")


NO_SITE = """\
There is no site.yaml yet. Write the network of your inverters, such as 192.168.1.0/24, into the option 'scan'."""


def main() -> int:
    """Become `orchestrator run`; only where there is no site, and none can be made, it returns."""
    options = json.loads(OPTIONS.read_text())
    if not SITE.exists():
        if not options.get("scan"):
            print(NO_SITE)
            return 1
        drafted = subprocess.run(draft_command(options), check=False).returncode
        if drafted != 0:
            return drafted
    return os.execvp("orchestrator", ["orchestrator", "run", str(SITE)])


def draft_command(options: dict[str, str]) -> list[str]:
    """The `orchestrator init` that the options ask for: always in shadow mode."""
    command = ["orchestrator", "init", str(SITE), "--yes", "--shadow", "--state-dir", STATE, "--scan", options["scan"]]
    for option, key in (("--timezone", "timezone"), ("--export-limit", "export_limit")):
        if options.get(key):
            command += [option, options[key]]
    return command


if __name__ == "__main__":
    sys.exit(main())
