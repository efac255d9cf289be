"""`python -m orchestrator.cli`: the command line without an installed script."""

from __future__ import annotations

import sys

from orchestrator.cli.main import main

sys.exit(main())
