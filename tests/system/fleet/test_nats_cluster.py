"""Two storeys on a cluster of three nodes of NATS: one is killed, and no setpoint is lost or comes back old."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.plants.example_site import SUNNY
from tests.support.plants.running_plant import Publisher
from tests.support.plants.two_storeys import (
    SETPOINTS,
    Site,
    portfolio_config,
    running_portfolio,
    running_site,
)
from tests.support.servers.brokers import HOST, MqttClient, mqtt_client, nats
from tests.support.servers.required import wait_until

pytestmark = pytest.mark.long

PATIENCE_S = 120.0
"""A cluster that has lost its leader elects another one, and on a busy machine that takes its time."""
AGAIN_AFTER_S = 10.0
PORTFOLIO = {"grid_charging": True}
SUN = {name: watts / 4 for name, watts in SUNNY.items()}


def test_a_node_is_killed_and_both_storeys_go_on_elsewhere(tmp_path: Path) -> None:
    with ExitStack() as running:
        cluster = running.enter_context(nats(tmp_path))
        at = {name: cluster.from_node(node) for node, name in enumerate(("village", "north", "south"))}
        sites = [
            running.enter_context(
                running_site(tmp_path, name, at[name], sun=SUN, load_watts=500.0, portfolio=PORTFOLIO)
            )
            for name in ("north", "south")
        ]
        config = portfolio_config(tmp_path, at["village"], dict.fromkeys(("north", "south"), at["village"]))
        portfolio = running.enter_context(running_portfolio(config, at["village"]))
        watcher = running.enter_context(mqtt_client(HOST, at["north"].port))
        watcher.subscribe("sites/+/aggregate/command")
        for name in ("north", "south"):
            watcher.subscribe(f"sites/{name}/aggregate/answer")
        setpoint = Publisher(at["north"], SETPOINTS)

        setpoint.publish({"batteryTargetWatts": 3000})
        wait_until(lambda: _asked_watts(sites) == 3000, "a target of both", PATIENCE_S)

        cluster.kill(0)  # the portfolio speaks to this one
        _publish_until_taken(setpoint, -2000, sites)
        wait_until(lambda: portfolio.results[-1].snapshot.away == (), "a portfolio that hears both again", PATIENCE_S)

        _nothing_old_counts(watcher, sites)
        assert _asked_watts(sites) == -2000


def _publish_until_taken(setpoint: Publisher, watts: float, sites: list[Site]) -> None:
    """As whoever decides does it: while the cluster elects a leader it takes nothing, or loses what it takes."""
    end_s = time.monotonic() + PATIENCE_S
    while _asked_watts(sites) != watts:
        assert time.monotonic() < end_s, f"{_asked_watts(sites):.0f} W are asked for, not {watts:.0f} W"
        with contextlib.suppress(subprocess.CalledProcessError):
            setpoint.publish({"batteryTargetWatts": watts})
        with contextlib.suppress(pytest.fail.Exception):
            wait_until(lambda: _asked_watts(sites) == watts, "a target that came while a node was lost", AGAIN_AFTER_S)


def _asked_watts(sites: list[Site]) -> float:
    """What both are asked for by the portfolio, in whole watts."""
    asked = [site.results[-1].envelope.fields.battery_target_watts for site in sites if site.results]
    return round(sum(each or 0.0 for each in asked))


def _nothing_old_counts(watcher: MqttClient, sites: list[Site]) -> None:
    """Numbers never fell, nothing was retained, and the first command of all is refused when it is sent once more."""
    for name in ("north", "south"):
        commands = [each for each in watcher.received if each.topic == f"sites/{name}/aggregate/command"]
        numbers = [json.loads(each.payload)["sequence"] for each in commands]
        assert len(set(numbers)) > 1
        assert all(former <= later for former, later in pairwise(numbers))
        assert not any(each.retained for each in commands)
        answers = f"sites/{name}/aggregate/answer"
        watcher.publish(f"sites/{name}/aggregate/command", commands[0].payload)
        wait_until(lambda answers=answers: _refused(watcher, answers), "the refusal of an old command")  # type: ignore[misc]
    assert all(site.results for site in sites)


def _refused(watcher: MqttClient, topic: str) -> bool:
    return any(json.loads(each.payload)["answer"] == "refused" for each in watcher.on(topic))
