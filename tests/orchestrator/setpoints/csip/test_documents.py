"""Documents: values with their units, and anything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.setpoints.csip import resources
from orchestrator.setpoints.csip.documents import LARGEST_BYTES, DocumentError, Node, Writer, parse
from orchestrator.setpoints.csip.identity import Identity, sfdi_of

SEP = 'xmlns="urn:ieee:std:2030.5:ns" xmlns:c="https://csipaus.org/ns" xmlns:s="https://csipaus.org/ns/v1.3"'


def base(inner: str) -> dict[str, float | bool]:
    return resources.asks(parse(f"<DERControlBase {SEP}>{inner}</DERControlBase>".encode(), "DERControlBase"))


def power(name: str, value: int, exponent: int = 0) -> str:
    return f"<{name}><multiplier>{exponent}</multiplier><value>{value}</value></{name}>"


def test_what_a_control_asks_for_is_read_with_its_multiplier() -> None:
    inner = power("c:opModExpLimW", 15, 2) + power("c:opModImpLimW", 25, -1) + "<opModConnect>false</opModConnect>"

    assert base(inner) == {"export_limit_watts": 1500.0, "import_limit_watts": 2.5, "connect": False}


def test_a_storage_target_keeps_its_sign_and_a_limit_below_0_is_0() -> None:
    inner = power("s:opModStorageTargetW", -3000) + power("c:opModGenLimW", -1)

    assert base(inner) == {"storage_target_watts": -3000.0, "generation_limit_watts": 0.0}


def test_a_name_of_another_namespace_is_not_taken_for_ours() -> None:
    assert base('<x:opModConnect xmlns:x="urn:other">false</x:opModConnect>') == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<Time xmlns='urn:ieee:std:2030.5:ns'/>", "a DERControlBase was expected, and a Time came"),
        (f"<DERControlBase {SEP}><opModConnect>maybe</opModConnect></DERControlBase>", "neither true nor false"),
        (f"<DERControlBase {SEP}>{power('c:opModExpLimW', 1, 99)}</DERControlBase>", "a multiplier beyond"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "defines a type or entities"),
        ("nonsense", "this is no XML"),
        ("<a>" + " " * LARGEST_BYTES + "</a>", "are the most that is read"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        resources.asks(parse(text.encode(), "DERControlBase"))


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"<Time {SEP}>{text}</Time>".encode()))
def test_any_bytes_are_a_document_or_are_refused(content: bytes) -> None:
    try:
        node = parse(content, "Time")
    except DocumentError:
        return
    assert isinstance(node, Node)


@given(st.floats(-1e9, 1e9))
def test_a_power_that_is_written_is_read_again(watts: float) -> None:
    node = parse(Writer("DERControlBase").watts("p", watts).document, "DERControlBase")

    assert node.watts("p") == pytest.approx(watts, rel=1e-3, abs=0.5)


def test_lfdi_and_sfdi_are_those_of_the_standard() -> None:
    """The example of IEEE 2030.5, 6.3.4: the digest begins with 3E4F45AB31EDFE5B67E343E5E4562E31984E23E5."""
    lfdi = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"

    assert sfdi_of(lfdi) == 167261211391
    assert Identity(lfdi, 0).grouped == "3E4F-45AB-31ED-FE5B-67E3-43E5-E456-2E31-984E-23E5"
    assert len(Identity.of_certificate(b"any").lfdi) == 40
