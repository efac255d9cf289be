"""What is read of a device is all of it, and what is told of it names nobody."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.commissioning.register_image import RegisterImage, described, find_chain, masked, read_words, title
from orchestrator.devices.base import ReadRequest, Refused, Words
from orchestrator.errors import WrongDevice
from tests.support.records.images import NAMES, fixture

ResultT = TypeVar("ResultT")


def carried_out(steps: Generator[ReadRequest, Words | Refused, ResultT], words: dict[int, int]) -> ResultT:
    """Run the reads on these words; a request that touches a missing one is refused whole."""
    request = next(steps)
    while True:
        addresses = range(request.address, request.address + request.count)
        assert request.count <= 125
        whole = all(address in words for address in addresses)
        try:
            request = steps.send(tuple(words[address] for address in addresses) if whole else Refused(2))
        except StopIteration as end:
            result: ResultT = end.value
            return result


def read_again(words: dict[int, int]) -> RegisterImage:
    chain = carried_out(find_chain(), words)
    return RegisterImage(chain, carried_out(read_words(chain), words))


@pytest.mark.parametrize("name", NAMES)
def test_a_real_map_is_read_word_by_word_with_its_holes(name: str) -> None:
    image = fixture(name)

    again = read_again(image.registers())

    assert (again.chain, again.words) == (image.chain, image.words)


def test_the_title_is_that_of_the_first_device() -> None:
    assert title(fixture("sma_sb36_day")) == "SMA SB3.6-1AV-41 4.00.75.R"


def with_serial(image: RegisterImage, text: str) -> RegisterImage:
    words = list(image.words)
    at = image.chain.models[0].address + 50 - image.chain.base
    for index, pair in enumerate(zip(text[::2], text[1::2], strict=True)):
        words[at + index] = ord(pair[0]) << 8 | ord(pair[1])
    return replace(image, words=tuple(words))


def test_a_serial_number_is_masked_and_nothing_else() -> None:
    image = fixture("fimer_pvs_day")
    named = with_serial(image, "AB-123456789")

    shown = masked(named)

    assert masked(with_serial(image, "00-000000000")) == shown != named
    assert sum(before != after for before, after in zip(named.words, shown.words, strict=True)) <= 16


def test_the_tail_of_a_mac_address_is_masked() -> None:
    image = fixture("sma_sb36_day")
    model = next(model for model in image.chain.models if model.id == 11)
    at = model.address + 7 - image.chain.base
    words = (*image.words[:at], 0xBEEF, 0xCAFE, *image.words[at + 2 :])

    assert masked(replace(image, words=words)).words[at : at + 2] == (0, 0)


def test_a_description_says_what_is_missing_and_what_was_done() -> None:
    image = described(fixture("sma_sb36_night"), captured="2030-01-31", with_serial=False)

    holes = image.words.count(None)
    assert image.note == f"null: the device refused these {holes} words; serial number and MAC tail zeroed"
    assert image.captured == "2030-01-31"


def test_with_serial_changes_no_word() -> None:
    image = with_serial(fixture("fimer_pvs_day"), "AB-123456789")

    assert described(image, captured="", with_serial=True).words == image.words


MARKER = (0x5375, 0x6E53)


def a_map(*words: int, base: int = 40000) -> dict[int, int]:
    return dict(enumerate((*MARKER, *words), start=base))


def test_a_chain_whose_end_is_refused_ends_there() -> None:
    image = read_again(a_map(1, 2, 7, 8))

    assert image.words == (*MARKER, 1, 2, 7, 8)
    assert "no end marker" in described(image, captured="", with_serial=True).note


def test_an_end_marker_without_a_length_is_kept() -> None:
    assert read_again(a_map(1, 1, 7, 0xFFFF)).words == (*MARKER, 1, 1, 7, 0xFFFF)


def test_another_device_in_the_same_map_is_read_too() -> None:
    image = read_again(a_map(1, 1, 7, 103, 1, 8, 1, 1, 9, 203, 0, 0xFFFF, 0, base=0))

    assert [model.id for model in image.chain.models] == [1, 103, 1, 203]


def test_a_map_at_none_of_the_bases_is_not_sunspec() -> None:
    with pytest.raises(WrongDevice):
        read_again(a_map(1, 0, base=1234))


def test_a_chain_without_an_end_is_cut_after_100_models() -> None:
    assert len(read_again(a_map(*[64001, 0] * 200)).chain.models) == 100


@given(
    st.lists(st.tuples(st.integers(1, 0xFFFE), st.lists(st.integers(0, 0xFFFF), max_size=300)), max_size=5),
    st.sets(st.integers(0, 1500), max_size=20),
)
def test_any_map_is_read_as_it_is(models: list[tuple[int, list[int]]], holes: set[int]) -> None:
    flat = [word for model_id, body in models for word in (model_id, len(body), *body)]
    words = a_map(*flat, 0xFFFF, 0)
    headers = {at for model in read_again(words).chain.models for at in (model.address, model.address + 1)}
    last = max(words)
    for hole in holes:
        if 40002 <= 40000 + hole < last - 1 and 40000 + hole not in headers:
            words.pop(40000 + hole)

    assert read_again(words).registers() == words
