"""Any setpoint that a source may ask for, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from orchestrator.setpoints.fields import PriorityMode, SetpointFields

switch = st.none() | st.booleans()
watts = st.none() | st.floats(0, 1e9)
percent = st.none() | st.floats(0, 100)

any_fields = st.builds(
    SetpointFields,
    connect=switch,
    energize=switch,
    export_limit_watts=watts,
    import_limit_watts=watts,
    generation_limit_watts=watts,
    load_limit_watts=watts,
    battery_charge_rate_percent=percent,
    battery_discharge_rate_percent=percent,
    battery_storage_mode=st.none() | st.integers(0, 3),
    battery_target_soc_percent=percent,
    battery_soc_min_percent=percent,
    battery_soc_max_percent=percent,
    battery_charge_max_watts=watts,
    battery_discharge_max_watts=watts,
    battery_import_target_watts=watts,
    battery_export_target_watts=watts,
    battery_priority_mode=st.none() | st.sampled_from(PriorityMode),
    battery_grid_charging_enabled=switch,
    battery_grid_charging_max_watts=watts,
)
