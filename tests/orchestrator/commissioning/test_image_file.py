"""An image and its file say the same, and a file that is no image is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.commissioning.image_file import ImageError, from_json, to_json
from tests.support.records.images import NAMES, fixture, path_of


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_is_written_as_it_was_read(name: str) -> None:
    assert json.loads(to_json(fixture(name))) == json.loads(path_of(name).read_text())
    assert from_json(to_json(fixture(name))) == fixture(name)


def changed(**changes: Any) -> str:
    data = {"base_address_0based": 40000, "unit_id": 1, "words_hex": ["5375", "6E53", "FFFF", "0000"]} | changes
    return json.dumps({key: value for key, value in data.items() if value != "missing"})


def test_a_short_image_is_enough() -> None:
    image = from_json(changed())

    assert (image.words, image.unit_id, image.chain.models) == ((0x5375, 0x6E53, 0xFFFF, 0), 1, ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        (changed(words_hex="missing"), "words_hex must be a list"),
        (changed(words_hex=[]), "words_hex must be a list"),
        (changed(words_hex=["5375", "6E5"]), r"words_hex\[1\] must be four hex digits or null \(got '6E5'\)"),
        (changed(words_hex=[21365]), r"words_hex\[0\]"),
        (changed(words_hex=["+123"]), r"words_hex\[0\]"),
        (changed(words_hex=["0000", "0000"]), "no SunSpec map"),
        (changed(base_address_0based="missing"), "base_address_0based must be a whole number"),
        (changed(base_address_0based=True), "base_address_0based"),
        (changed(base_address_0based=65534), "beyond address 65535"),
        (changed(unit_id=256), "unit_id must be a whole number from 0 to 255"),
        (changed(device=7), "device must be text"),
    ],
)
def test_what_is_no_image_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        from_json(text)


@settings(max_examples=40)
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner))
)
def test_any_json_is_an_image_or_an_image_error(data: object) -> None:
    with pytest.raises(ImageError):
        from_json(json.dumps(data))
