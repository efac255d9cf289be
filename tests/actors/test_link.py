from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from actors.clock import RealClock
from actors.link import LinkNeeds, LinkPool, ModbusLink
from actors.observer import NoObserver
from orchestrator.devices.link.ways import TcpWay
from orchestrator.errors import LinkDown, LinkError, LinkTimeout, NonsenseReply, RequestRefused
from orchestrator.reason import because
from tests.support.plants.plant import ModbusBox, ServerThread
from tests.support.servers.required import wait_until
from tests.support.servers.rough_peer import HANG_UP, RoughPeer, framed, words

TIMEOUT_S = 2.0


class Requests(NoObserver):
    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []

    def request_done(self, device: str, seconds: float, error: str | None) -> None:
        self.seen.append((device, error))


@pytest.fixture
def servers() -> Iterator[ServerThread]:
    with ServerThread() as thread:
        yield thread


@pytest.fixture
def box(servers: ServerThread) -> ModbusBox:
    return servers.box({10: 7, 11: 65535, 12: 3})


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
def link(box: ModbusBox, requests: Requests) -> Iterator[ModbusLink]:
    link = ModbusLink("127.0.0.1", box.port, TIMEOUT_S, RealClock(), requests)
    yield link
    link.close()


def test_words_are_read_and_the_request_is_counted(link: ModbusLink, requests: Requests) -> None:
    assert link.read(1, 10, 3, "east") == (7, 65535, 3)

    assert requests.seen == [("east", None)]


def test_writes_go_out_in_one_request_of_function_16_even_for_one_word(link: ModbusLink, box: ModbusBox) -> None:
    link.write(1, 20, (5,), "east")
    link.write(1, 21, (6, 7), "east")

    assert box.writes == [(20, 1), (21, 2)]
    assert link.read(1, 20, 3, "east") == (5, 6, 7)


def test_a_refusal_names_its_code_and_keeps_the_connection(
    link: ModbusLink, box: ModbusBox, requests: Requests
) -> None:
    box.refused[11] = 2

    with pytest.raises(RequestRefused) as refusal:
        link.read(1, 10, 3, "east")

    assert refusal.value.code == 2
    assert link.read(1, 12, 1, "east") == (3,)
    assert box.connections == 1
    assert requests.seen == [("east", "refused"), ("east", None)]


def test_an_answer_with_too_few_words_is_nonsense(link: ModbusLink, box: ModbusBox, requests: Requests) -> None:
    box.short = True

    with pytest.raises(NonsenseReply):
        link.read(1, 10, 3, "east")

    assert requests.seen == [("east", "nonsense")]


@pytest.mark.parametrize("code", [0x0A, 0x0B])
def test_a_gateway_that_gets_no_answer_is_silence_of_the_device(link: ModbusLink, box: ModbusBox, code: int) -> None:
    box.refused[10] = code

    with pytest.raises(LinkTimeout):
        link.read(1, 10, 1, "east")


def test_silence_ends_after_the_timeout_and_the_next_call_uses_a_new_connection(
    link: ModbusLink, box: ModbusBox, requests: Requests
) -> None:
    box.silent = True
    with pytest.raises(LinkTimeout):
        link.read(1, 10, 1, "east")
    wait_until(lambda: box.connections == 0, "the silent connection is closed")

    box.silent = False

    assert link.read(1, 10, 1, "east") == (7,)
    assert requests.seen == [("east", "timeout"), ("east", None)]


def test_a_reset_costs_one_call(link: ModbusLink, box: ModbusBox) -> None:
    link.read(1, 10, 1, "east")
    box.reset_connections()

    with pytest.raises(LinkDown):
        link.read(1, 10, 1, "east")

    assert link.read(1, 10, 1, "east") == (7,)


def test_a_reset_in_place_of_an_answer_costs_one_call(link: ModbusLink, box: ModbusBox) -> None:
    box.resets = True
    with pytest.raises(LinkDown):
        link.read(1, 10, 1, "east")
    box.resets = False

    assert link.read(1, 10, 1, "east") == (7,)


def test_a_server_that_ends_is_down_and_found_again_when_it_is_back(link: ModbusLink, box: ModbusBox) -> None:
    link.read(1, 10, 1, "east")
    box.stop()
    for _ in range(2):
        with pytest.raises(LinkDown):
            link.read(1, 10, 1, "east")

    box.start()

    assert link.read(1, 10, 1, "east") == (7,)


def test_what_is_no_modbus_costs_the_connection_and_is_counted_as_nonsense(requests: Requests) -> None:
    peer = RoughPeer()
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), requests)
    good = peer.answer
    peer.answer = lambda request: [b"HTTP/1.1 400 Bad Request\r\n\r\n"]
    with pytest.raises(LinkError, match="no Modbus TCP"):
        link.read(1, 10, 1, "east")

    peer.answer = good

    assert link.read(1, 10, 1, "east") == (7,)
    assert peer.connections == 2
    assert requests.seen == [("east", "nonsense"), ("east", None)]
    link.close()
    peer.close()


def test_a_reply_that_comes_after_the_timeout_is_never_taken_for_another(requests: Requests) -> None:
    peer = RoughPeer()
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), requests)
    good = peer.answer

    def late(request: bytes) -> list[bytes]:
        time.sleep(1.5 * TIMEOUT_S)
        return [framed(request, words(666))]

    peer.answer = late
    with pytest.raises(LinkTimeout):
        link.read(1, 10, 1, "east")

    peer.answer = good

    assert link.read(1, 20, 1, "east") == (7,)
    assert peer.connections == 2
    link.close()
    peer.close()


def test_a_device_that_hangs_up_says_so(requests: Requests) -> None:
    peer = RoughPeer()
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), requests)
    peer.answer = lambda request: [HANG_UP]

    with pytest.raises(LinkDown, match="closed by the device") as raised:
        link.read(1, 10, 1, "east")

    assert raised.value.why.values["words_why"] == because("closed_by_device")

    peer.close()


def test_threads_that_share_a_link_get_each_their_own_words(servers: ServerThread, requests: Requests) -> None:
    box = servers.box({address: 1000 + address for address in range(64)})
    link = ModbusLink("127.0.0.1", box.port, 60.0, RealClock(), requests)
    wrong: list[tuple[int, ...]] = []

    def read_again_and_again(address: int) -> None:
        for _ in range(40):
            read = link.read(1, address, 2, f"device {address}")
            if read != (1000 + address, 1001 + address):
                wrong.append(read)

    threads = [threading.Thread(target=read_again_and_again, args=(8 * number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    assert wrong == []
    assert [error for _, error in requests.seen] == [None] * 240
    assert box.connections == 1
    link.close()


def test_a_closed_link_connects_again_when_it_is_used(link: ModbusLink, box: ModbusBox) -> None:
    link.read(1, 10, 1, "east")
    link.close()
    wait_until(lambda: box.connections == 0, "the connection is closed")

    assert link.read(1, 10, 1, "east") == (7,)


def test_devices_behind_one_host_and_port_share_a_link_with_the_longest_timeout(box: ModbusBox) -> None:
    pool = LinkPool(RealClock(), NoObserver())
    for timeout_s in (0.05, 30.0, 0.05):
        pool.expect(TcpWay("127.0.0.1", box.port), LinkNeeds(timeout_s))
    box.delay_s = 0.3

    link = pool.link(TcpWay("127.0.0.1", box.port))

    assert link.read(1, 10, 1, "east") == (7,)
    assert pool.link(TcpWay("127.0.0.1", box.port)) is link
    pool.close()


def test_words_may_go_out_one_by_one_with_function_6(link: ModbusLink, box: ModbusBox, requests: Requests) -> None:
    link.write(1, 20, (5, 6), "east", one_by_one=True)

    assert dict.fromkeys(box.requests) == dict.fromkeys([(6, 20, 1), (6, 21, 1)]), "the server notes each twice"
    assert link.read(1, 20, 2, "east") == (5, 6)
    assert len(requests.seen) == 3


def test_the_next_request_waits_until_the_device_has_had_its_rest(box: ModbusBox) -> None:
    link = ModbusLink("127.0.0.1", box.port, TIMEOUT_S, RealClock(), NoObserver(), min_gap_s=0.1)
    link.read(1, 10, 1, "east")
    began_s = time.monotonic()

    link.read(1, 10, 1, "east")
    link.write(1, 20, (5,), "east")

    assert time.monotonic() - began_s >= 0.2
    link.close()


def test_input_registers_are_read_with_function_4_and_holding_registers_with_function_3(requests: Requests) -> None:
    peer = RoughPeer()
    peer.answer = lambda request: [framed(request, words(40 + request[7], function=request[7]))]
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), requests)

    assert link.read(1, 10, 1, "east", inputs=True) == (44,)
    assert link.read(1, 10, 1, "east") == (43,)

    assert [sent[7:12] for sent in peer.requests] == [b"\x04\x00\x0a\x00\x01", b"\x03\x00\x0a\x00\x01"]
    assert requests.seen == [("east", None)] * 2
    link.close()
    peer.close()


def test_each_unit_is_addressed_by_its_own_id_and_by_no_other() -> None:
    peer = RoughPeer()
    peer.answer = lambda request: [framed(request, words(request[6], function=request[7]))]
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), NoObserver())

    for unit_id in (0, 1, 100, 227, 247, 255):
        assert link.read(unit_id, 10, 1, "east", inputs=unit_id % 2 == 1) == (unit_id,)

    assert [sent[6] for sent in peer.requests] == [0, 1, 100, 227, 247, 255]
    assert peer.connections == 1
    link.close()
    peer.close()


def test_writes_go_to_the_unit_that_is_meant() -> None:
    peer = RoughPeer()
    peer.answer = lambda request: [framed(request, request[7:12])]
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), NoObserver())

    link.write(227, 37, (0xFE0C, 0), "east")
    link.write(100, 2902, (3,), "east", one_by_one=True)

    assert [(sent[6], sent[7]) for sent in peer.requests] == [(227, 16), (100, 6)]
    link.close()
    peer.close()


def test_an_answer_of_the_other_table_or_of_another_unit_is_no_answer() -> None:
    peer = RoughPeer()
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), NoObserver())
    peer.answer = lambda request: [framed(request, words(7, function=3))]
    with pytest.raises(LinkError):
        link.read(1, 10, 1, "east", inputs=True)
    peer.answer = lambda request: [framed(request, words(7, function=4), unit=2)]
    with pytest.raises(LinkError):
        link.read(1, 10, 1, "east", inputs=True)

    peer.answer = lambda request: [framed(request, words(7, function=4))]
    assert link.read(1, 10, 1, "east", inputs=True) == (7,)
    link.close()
    peer.close()


def test_too_few_input_registers_are_nonsense_and_a_refusal_is_one() -> None:
    peer = RoughPeer()
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), NoObserver())
    peer.answer = lambda request: [framed(request, words(1, 2, function=4))]
    with pytest.raises(NonsenseReply):
        link.read(1, 10, 3, "east", inputs=True)
    peer.answer = lambda request: [framed(request, b"\x84\x02")]
    with pytest.raises(RequestRefused) as refusal:
        link.read(1, 10, 3, "east", inputs=True)

    assert refusal.value.code == 2
    link.close()
    peer.close()


def test_all_units_and_tables_of_a_link_share_its_rest() -> None:
    at_s: list[float] = []
    peer = RoughPeer()

    def answer(request: bytes) -> list[bytes]:
        at_s.append(time.monotonic())
        return [framed(request, words(7, function=request[7]) if request[7] < 5 else request[7:12])]

    peer.answer = answer
    link = ModbusLink("127.0.0.1", peer.port, TIMEOUT_S, RealClock(), NoObserver(), min_gap_s=0.05)
    link.read(1, 10, 1, "east")
    link.read(227, 10, 1, "west", inputs=True)
    link.write(100, 10, (5,), "roof")
    link.write(100, 10, (5, 6), "roof", one_by_one=True)

    assert [later - earlier >= 0.05 for earlier, later in pairwise(at_s)] == [True] * 4
    link.close()
    peer.close()


def test_units_behind_one_link_rest_as_long_as_the_slowest_of_them_needs() -> None:
    pool = LinkPool(RealClock(), NoObserver())
    key = TcpWay("127.0.0.1", 502)
    pool.expect(key, LinkNeeds(1.0, min_gap_s=0.5))
    pool.expect(key, LinkNeeds(5.0, min_gap_s=0.1))

    link = pool.link(key)

    assert link.needs == LinkNeeds(5.0, min_gap_s=0.5)
    pool.expect_only({key: LinkNeeds(2.0)})
    assert pool.link(key) is link
    assert link.needs == LinkNeeds(2.0)
