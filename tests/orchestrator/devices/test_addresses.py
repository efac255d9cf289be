from hypothesis import given
from hypothesis import strategies as st

from orchestrator.devices.addresses import Place, place_of

PLACES = st.builds(Place, address=st.integers(0, 0xFFFF), unit_id=st.none() | st.integers(1, 255), inputs=st.booleans())


@given(PLACES)
def test_a_number_stands_for_one_place(place: Place) -> None:
    assert place_of(place.number) == place


@given(st.integers(0, 0xFFFF))
def test_a_holding_register_of_the_device_itself_is_its_wire_address(address: int) -> None:
    assert Place(address).number == address


@given(PLACES, PLACES)
def test_two_places_have_two_numbers(one: Place, other: Place) -> None:
    assert (one.number == other.number) == (one == other)
