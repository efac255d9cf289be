"""Asks whether a package of constraints.txt has a known weakness: 0 none, 1 some. Where nobody can be asked it says so.

pip-audit is installed into an environment of its own (.venv/audit), because its own packages are none of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / ".venv/audit"
WITHIN_S = 300


def main() -> int:
    """Print what was found, as one line for each weakness."""
    program = FOLDER / "bin/pip-audit"
    if not program.exists() and not installed():
        print("audit skipped: pip-audit cannot be installed here")
        return 0
    command = [program, "--requirement", REPOSITORY / "constraints.txt", "--no-deps", "--disable-pip"]
    try:
        said = subprocess.run(
            [*command, "--format", "json", "--progress-spinner", "off"],
            check=False,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
        )
        found = json.loads(said.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError) as trouble:
        print(f"audit skipped: the advisory service does not answer ({type(trouble).__name__})")
        return 0
    return report(found)


def installed() -> bool:
    """Install pip-audit; whether that went well."""
    venv.create(FOLDER, with_pip=True)
    command = [FOLDER / "bin/pip", "install", "--quiet", "pip-audit"]
    return subprocess.run(command, check=False, stderr=subprocess.DEVNULL, timeout=WITHIN_S).returncode == 0


def report(found: list[dict[str, Any]]) -> int:
    """0 where no audited package has a known weakness, or where none could be audited, which is said."""
    audited = [each for each in found if "skip_reason" not in each]
    if not audited:
        print("audit skipped: the advisory service knows none of the packages (a mirror without advisories)")
        return 0
    weaknesses = [(each, weakness) for each in audited for weakness in each["vulns"]]
    for each, weakness in weaknesses:
        print(f"{each['name']} {each['version']}: {weakness['id']}, mended in {', '.join(weakness['fix_versions'])}")
    print(f"audit: {len(audited)} of {len(found)} packages looked up, {len(weaknesses)} known weaknesses")
    return 1 if weaknesses else 0


if __name__ == "__main__":
    sys.exit(main())
