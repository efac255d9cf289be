"""Write what the profiles say into docs/makes.md and docs/meters.md."""

from __future__ import annotations

from tools.makes import make_page, meters, page


def main() -> None:
    """Everything between the two marks of each page is made anew."""
    for each in (page, meters):
        each.PAGE.write_text(each.renewed(each.PAGE.read_text()))
        print(each.PAGE)
    for file, text in make_page.pages().items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        print(file)


main()
