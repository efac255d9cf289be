"""Write what the profiles say into docs/makes.md and docs/meters.md."""

from __future__ import annotations

from tools.makes import meters, page


def main() -> None:
    """Everything between the two marks of each page is made anew."""
    for each in (page, meters):
        each.PAGE.write_text(each.renewed(each.PAGE.read_text()))
        print(each.PAGE)


main()
