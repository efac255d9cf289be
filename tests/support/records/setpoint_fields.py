"""Any setpoint that a source may ask for, for property tests: whatever fields there are."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from orchestrator.setpoints.fields import ROWS, SetpointFields
from orchestrator.setpoints.values import Choice, Number, Switch, Value


def values(value: Value) -> st.SearchStrategy[Any]:
    """Everything that a field of this kind may ask for."""
    if isinstance(value, Switch):
        return st.booleans()
    if isinstance(value, Choice):
        return st.sampled_from(value.options)
    return st.floats(value.lowest, value.highest) if isinstance(value, Number) else st.integers(0, value.highest)


any_fields = st.builds(SetpointFields, **{row.name: st.none() | values(row.value) for row in ROWS})
