"""Pages of the metrics port, which refuses who asks too often: a test that waits for something does."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

from tests.support.servers.required import PATIENCE_S

TOO_OFTEN = 429
AGAIN_AFTER_S = 0.2


def fetched(url: str) -> str:
    """The page, asked for again where that was too often."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as refusal:
            if refusal.code != TOO_OFTEN or time.monotonic() > deadline_s:
                raise
            time.sleep(AGAIN_AFTER_S)
