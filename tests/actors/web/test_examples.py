"""Each example of docs/api.md, run as it is written against a server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.files.process import Answer
from orchestrator.config.audience import PageSection
from tests.support.records.cycles import cycle_result
from tests.support.servers.required import require_server, wait_until
from tests.support.web import TOKEN, Web, web, web_config

PAGE = (Path(__file__).parents[3] / "docs/api.md").read_text()
EXAMPLES = re.findall(r"^```sh\n(.+?)\n```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web(web_config(tmp_path_factory.mktemp("state"))) as running:
        running.ref.tell(cycle_result())
        wait_until(lambda: running.ask("/readyz").status == 200, "the cycle")
        yield running


def reloads(served: Web, done: threading.Event) -> None:
    """The main thread of a run, as far as reloads go."""
    while not done.wait(0.05):
        served.desk.serve(lambda: Answer(True, ("reloaded: nothing has changed",)), served.site.tell)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_page_does_what_it_says(served: Web, example: str) -> None:
    require_server("curl")
    command = example.replace("http://127.0.0.1:9464", f"http://127.0.0.1:{served.port}")
    command = command.replace("curl ", "curl --silent --show-error --write-out '\\n%{http_code}' ", 1)
    done = threading.Event()
    main = threading.Thread(target=reloads, args=(served, done))
    main.start()
    try:
        ran = subprocess.run(
            ["sh", "-c", command],
            env={**os.environ, "TOKEN": TOKEN},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        done.set()
        main.join()
    body, _, status = ran.stdout.rpartition("\n")

    assert status == "200", ran.stdout + ran.stderr
    if "/stream" in example:
        assert body.startswith("event: state\ndata: {")
    else:
        said: Any = json.loads(body)
        assert said or said == []


def test_the_section_that_the_page_shows_is_one() -> None:
    shown = yaml.safe_load(re.findall(r"^```yaml\n(.+?)\n```", PAGE, re.MULTILINE | re.DOTALL)[0])

    assert PageSection.model_validate(shown["page"]).change_token_file == "change.token"


def test_the_page_shows_an_example_of_each_change() -> None:
    assert len(EXAMPLES) == 15
