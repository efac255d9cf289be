"""`make docs`: builds the site into build/docs. Any warning is a mistake."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sphinx.cmd.build import build_main

from tools.docs_site.source import ROOT, write

HERE: Final = Path(__file__).parent
START: Final = """\
<!doctype html><meta charset="utf-8"><title>Orchestrator</title>
<meta http-equiv="refresh" content="0; url=docs/index.html">
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build; the exit code is that of Sphinx, 1 where it warns."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs_site", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build/docs")
    out: Path = parser.parse_args(arguments).out.resolve()
    source = out.with_name(f"{out.name}-source")
    write(source)
    options = ["--fail-on-warning", "--keep-going", "--quiet", "--fresh-env", "--conf-dir", str(HERE)]
    code: int = build_main([*options, "-b", "html", str(source), str(out)])
    (out / "index.html").write_text(START)
    if code == 0:
        print(f"the docs are at {out / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
