"""`simulation:` of site.yaml: what the virtual site is made of. Only the simulator reads it.

Powers in W, energy in Wh, times in seconds, percents 0 to 100. Inverters are keyed by their name in `inverters:`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from orchestrator.documents.section import Name, Percent, Section, Watts

PositiveWatts = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Celsius = Annotated[float, Field(ge=-60, le=90, allow_inf_nan=False)]
EfficiencyPercent = Annotated[float, Field(ge=50, le=100, allow_inf_nan=False)]

Make = Literal[
    "alphaess-smile",
    "deye-3p-hv",
    "deye-3p-lv",
    "foxess-h3",
    "foxess-h3-smart",
    "fronius-gen24",
    "fronius-symo-hybrid",
    "givenergy-gen3",
    "goodwe-et",
    "growatt-mod",
    "huawei-luna",
    "kostal-plenticore",
    "saj-h2",
    "sigenergy",
    "sma",
    "sofar-hyd",
    "solaredge-storedge",
    "solax-gen4",
    "solis-hybrid",
    "sungrow-sh",
    "sunsynk-1p",
    "victron-gx",
]

MeterMake = Literal[
    "carlo-gavazzi-em24",
    "carlo-gavazzi-em24-e1",
    "carlo-gavazzi-em340",
    "eastron-sdm630",
    "eastron-sdm72",
    "goodwe-et",
    "huawei-luna",
    "janitza-umg",
    "kostal-ksem",
    "schneider-iem3000",
    "shelly-pro-3em",
    "siemens-pac2200",
    "sma",
    "sma-home-manager",
    "sungrow-sh",
    "victron-gx-grid",
]
"""Meters that are simulated in the registers of their make; some of them are read by way of an inverter."""


class BatterySimulation(Section):
    """`simulation.inverters.<name>.battery:` a battery on the DC side.

    `efficiency_percent` is one way: so much of what goes in is stored, and so much of what is stored comes out.
    Charging tapers from `taper_from_percent` on; discharging stops at `reserve_percent` (model 124, MinRsvPct).
    `grid_charging_allowed` is ChaGriSet as the device is delivered. A cold battery charges less, without saying so:
    below `cold_below_celsius` its charging falls in proportion, to nothing at `no_charge_below_celsius`.
    """

    capacity_wh: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
    charge_watts: PositiveWatts
    discharge_watts: PositiveWatts
    soc_percent: Percent = 50.0
    efficiency_percent: EfficiencyPercent = 97.0
    taper_from_percent: Annotated[float, Field(ge=50, lt=100)] = 95.0
    reserve_percent: Annotated[float, Field(ge=0, le=90)] = 5.0
    grid_charging_allowed: bool = False
    temperature_celsius: Celsius = 20.0
    cold_below_celsius: Celsius = 10.0
    no_charge_below_celsius: Celsius = 0.0


class InverterSimulation(Section):
    """`simulation.inverters.<name>:` one inverter. PV peak 0 is a battery inverter without PV.

    `lag_s` is the time constant with which AC and battery power follow their goal, `ramp_percent_per_s` (of the
    rating) the fastest either moves. `latency_s` is how long the device takes to answer a Modbus request, in
    virtual time at random up to `jitter_s` more or less. Some hybrids lose their PV for `collapse_s` when their battery
    is told to turn from charging to discharging without having rested for `turn_idle_s` between.
    `says_throttled` False: its operating state is MPPT also while a limit holds its PV back, as with many makes.
    In virtual time its AC limit is set in steps of `limit_step_percent` of its rating (0: exactly).
    `discharge_goes_first`: where PV and discharge do not both fit under the AC limit, it is the PV that is cut.
    `sunspec` is the generation of models that it speaks; in the newer one, 7xx, the battery of an inverter without PV
    can be commanded, that of a hybrid cannot. `make` lets it have the registers of a make instead.
    """

    pv_peak_watts: Watts = 0.0
    ac_rating_watts: PositiveWatts
    efficiency_percent: EfficiencyPercent = 97.0
    lag_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 0.8
    ramp_percent_per_s: Annotated[float, Field(gt=0, le=10000)] = 100.0
    latency_s: Annotated[float, Field(ge=0, le=10)] = 0.0
    jitter_s: Annotated[float, Field(ge=0, le=10)] = 0.0
    turn_idle_s: Annotated[float, Field(ge=0, le=600)] = 0.0
    collapse_s: Annotated[float, Field(ge=0, le=600)] = 10.0
    says_throttled: bool = True
    limit_step_percent: Annotated[float, Field(ge=0, le=10)] = 0.0
    discharge_goes_first: bool = False
    sunspec: Literal["1xx", "7xx"] = "1xx"
    make: Make | None = None
    battery: BatterySimulation | None = None


class SunSimulation(Section):
    """`simulation.sun:` a day of `period_s`, dark for `night_fraction` of it, with clouds that pass.

    `start_fraction` is the time of day at the start (0 is sunrise). Clouds take up to `cloud_depth` of the light, from
    each inverter its own; the higher `cloud_contrast`, the sharper their edges and the bluer the sky between them.
    """

    period_s: Seconds = 86400.0
    night_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.5
    start_fraction: Fraction = 0.15
    cloud_depth: Fraction = 0.3
    cloud_period_s: Seconds = 60.0
    cloud_contrast: Annotated[float, Field(ge=1, le=100)] = 1.0


class LoadSimulation(Section):
    """`simulation.load:` a base, a part that swings slowly up to `variation_watts`, one appliance that switches.

    The appliance is on or off for `appliance_period_s` at a time. `noise_watts` is a quick flutter of either sign.
    `phase_parts` is how much of all that is on each phase, in any unit.
    """

    base_watts: Watts = 500.0
    variation_watts: Watts = 500.0
    period_s: Seconds = 300.0
    appliance_watts: Watts = 0.0
    appliance_period_s: Seconds = 60.0
    noise_watts: Watts = 0.0
    phase_parts: Annotated[
        tuple[Annotated[float, Field(ge=0, le=1e6)], ...], Field(strict=False, min_length=3, max_length=3)
    ] = (1.0, 1.0, 1.0)

    @field_validator("phase_parts")
    @classmethod
    def _is_somewhere(cls, parts: tuple[float, ...]) -> tuple[float, ...]:
        if not sum(parts):
            raise ValueError("must not all be 0: the load is on one of the phases")
        return parts


class MeterSimulation(Section):
    """`simulation.meter:` a new value every `period_s`; between them the last one is read again.

    `sign` is what a positive W means in its registers. `make` lets it have the registers of a make, not SunSpec.
    """

    period_s: Annotated[float, Field(ge=0.02, le=60)] = 0.2
    sign: Literal["import_positive", "export_positive"] = "import_positive"
    make: MeterMake | None = None
    latency_s: Annotated[float, Field(ge=0, le=10)] = 0.0
    jitter_s: Annotated[float, Field(ge=0, le=10)] = 0.0


class GridSimulation(Section):
    """`simulation.grid:` the line to the transformer: `volts` where no power flows, `ohms` of each phase and back.

    An inverter leaves the grid for `trip_s` when the voltage of its phase is above `trip_volts`; left out: never.
    """

    volts: Annotated[float, Field(ge=50, le=600)] = 230.0
    ohms: Annotated[float, Field(ge=0, le=10)] = 0.0
    trip_volts: Annotated[float, Field(ge=50, le=600)] | None = None
    trip_s: Annotated[float, Field(gt=0, le=3600)] = 60.0


class SimulationConfig(Section):
    """`simulation:` the whole virtual site. The same `seed` gives the same weather and load.

    `battery_speed` fills and empties batteries that many times faster than their power says, so that a demonstration
    of minutes shows full and empty ones; powers and counters are not changed by it.
    """

    seed: int = 1
    battery_speed: Annotated[float, Field(gt=0, le=10000)] = 1.0
    sun: SunSimulation = SunSimulation()
    load: LoadSimulation = LoadSimulation()
    meter: MeterSimulation = MeterSimulation()
    grid: GridSimulation = GridSimulation()
    inverters: dict[Name, InverterSimulation] = Field(default_factory=dict)
