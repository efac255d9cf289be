"""Write what the profiles say into docs/makes.md."""

from __future__ import annotations

from tools.makes.page import PAGE, renewed


def main() -> None:
    """Everything between the two marks is made anew."""
    PAGE.write_text(renewed(PAGE.read_text()))
    print(PAGE)


main()
