"""What is typed becomes addresses, ports and units, or is refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.commissioning.scan_targets import UNIT_RANGE, Endpoint, addresses, endpoints, numbers, split_host
from orchestrator.errors import UsageError

PORTS = (502, 1502)


def test_a_host_is_looked_at_on_every_port() -> None:
    assert endpoints("inverter.local", PORTS) == (Endpoint("inverter.local", 502), Endpoint("inverter.local", 1502))


def test_a_port_that_is_typed_is_the_only_one() -> None:
    assert endpoints("10.0.0.5:5020", PORTS) == (Endpoint("10.0.0.5", 5020),)


def test_a_network_is_every_host_in_it_on_every_port() -> None:
    found = endpoints("127.0.0.3/29", PORTS)

    assert len(found) == 12
    assert {each.host for each in found} == {f"127.0.0.{host}" for host in range(1, 7)}


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("fe80::1", ("fe80::1", None)),
        ("fe80::1%eth0", ("fe80::1%eth0", None)),
        ("[fe80::1]:502", ("fe80::1", 502)),
        ("[fe80::1]", ("fe80::1", None)),
    ],
)
def test_ipv6_is_understood(target: str, parts: tuple[str, int | None]) -> None:
    assert split_host(target) == parts


NO_TARGETS = (
    *("", ":502", "host:", "host:0", "host:65536", "host:x", "http://host", "a b", "[fe80::1]502", "[fe80::1", "a;b"),
    *("host/24x", "10.0.0.0/33", "10.0.0.0/8"),
)


@pytest.mark.parametrize("target", NO_TARGETS)
def test_what_is_no_target_is_refused(target: str) -> None:
    with pytest.raises(UsageError):
        endpoints(target, PORTS)


def test_the_addresses_of_a_network_are_counted_before_anything_is_made_of_them() -> None:
    assert addresses("10.0.0.0/8") == 2**24
    assert addresses("10.0.0.0/22") == 1024
    assert addresses("10.0.0.1") == 1


def test_numbers_and_ranges_are_taken_in_their_order_and_once() -> None:
    assert numbers("3, 1,200-202,201", UNIT_RANGE, "unit") == (3, 1, 200, 201, 202)


@pytest.mark.parametrize("text", ["", "1,", "x", "256", "5-3", "-1", "1-", "1-2-3", "0x1"])
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no unit"):
        numbers(text, UNIT_RANGE, "unit")


@given(st.text(max_size=30))
def test_any_text_is_a_target_or_a_usage_error(text: str) -> None:
    try:
        found = endpoints(text.replace("/", ""), PORTS)
    except UsageError:
        return
    assert all(1 <= each.port <= 65535 and each.host for each in found)
