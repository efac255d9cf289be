"""Who a client is: the LFDI and SFDI that follow from its certificate (IEEE 2030.5, 6.3.4)."""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct


class Identity(Struct, frozen=True):
    """`lfdi`: 40 upper-case hexadecimal digits; `sfdi`: a number whose last digit checks the others."""

    lfdi: str
    sfdi: int

    @classmethod
    def of_certificate(cls, der: bytes) -> Identity:
        """That of a certificate in DER."""
        lfdi = sha256(der).hexdigest()[:40].upper()
        return cls(lfdi, sfdi_of(lfdi))

    @property
    def grouped(self) -> str:
        """The LFDI in groups of four digits, as forms of networks want it."""
        return "-".join(self.lfdi[at : at + 4] for at in range(0, 40, 4))


def sfdi_of(lfdi: str) -> int:
    """The first 36 bits in decimal, and a digit that makes the sum of all digits a multiple of ten."""
    number = int(lfdi[:9], 16)
    return number * 10 + -sum(int(digit) for digit in str(number)) % 10
