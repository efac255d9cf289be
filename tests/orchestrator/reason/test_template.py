"""Words are filled with facts, and what does not apply is left out."""

from __future__ import annotations

import pytest

from orchestrator.reason.template import fill, needed, optional

WORDS = "charge {watts:.0f} W[ ({source})][, maximum {percent:g} % ({whose})]"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"watts": 999.6}, "charge 1000 W"),
        ({"watts": 1.0, "source": "mqtt", "percent": None}, "charge 1 W (mqtt)"),
        ({"watts": 1.0, "source": None, "percent": 97.5, "whose": "a"}, "charge 1 W, maximum 97.5 % (a)"),
        ({"watts": 1.0, "percent": 97.5}, "charge 1 W"),
        ({"watts": 0.0, "percent": 0.0, "whose": "a"}, "charge 0 W, maximum 0 % (a)"),
    ],
)
def test_what_stands_in_brackets_is_said_where_all_of_it_applies(facts: dict[str, object], said: str) -> None:
    assert fill(WORDS, facts) == said


def test_a_fact_that_the_words_cannot_do_without_is_missed() -> None:
    with pytest.raises(KeyError, match="watts"):
        fill(WORDS, {"source": "mqtt"})


def test_the_facts_of_words_are_known() -> None:
    assert needed(WORDS) == {"watts"}
    assert optional(WORDS) == {"source", "percent", "whose"}
