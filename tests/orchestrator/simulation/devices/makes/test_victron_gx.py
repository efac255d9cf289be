"""The virtual Victron GX: three units, set points at the AC input, and what happens when nobody repeats them.

Raw words and addresses are those of the CCGX register list. The converter's efficiency is 97 %.
"""

from __future__ import annotations

import pytest
from pymodbus.client import ModbusTcpClient

from orchestrator.config.simulation import InverterSimulation
from orchestrator.simulation.devices.makes.victron.gx import VictronGx
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, Registers
from orchestrator.simulation.devices.sunspec.words import signed
from orchestrator.simulation.plant.inverter import SimulatedInverter
from orchestrator.simulation.server import serve
from orchestrator.simulation.site import VirtualSite
from tests.support.plants.virtual_site import HYBRID, site_config
from tests.support.servers.required import free_port

SYSTEM, BATTERY, VEBUS = 100, 225, 227
EXTERNAL = 3
PASSTHRU, EXTERNAL_CONTROL = 8, 252
EFFICIENCY = 0.97


class Bench:
    """A GX in steady light; registers are named by unit and address."""

    def __init__(self, pv_watts: float = 0.0, settings: InverterSimulation = HYBRID) -> None:
        self.inverter = SimulatedInverter("east", settings)
        self.device = VictronGx(self.inverter)
        self.pv_watts = pv_watts

    def unit(self, unit_id: int) -> Registers:
        return self.device.others[unit_id]

    def write(self, unit_id: int, address: int, *words: int) -> ExceptionCode | None:
        return self.unit(unit_id).write(address, tuple(word & 0xFFFF for word in words), 0.0)

    def read(self, unit_id: int, address: int) -> int:
        words = self.unit(unit_id).read(address, 1)
        assert isinstance(words, tuple)
        return words[0]

    def run(self, seconds: float, repeats: tuple[int, ...] = ()) -> Bench:
        """Let time pass; `repeats` are words that are written to the Multi from 37 on, each second."""
        for step in range(round(seconds / 0.05)):
            if repeats and step % 20 == 0:
                assert self.write(VEBUS, 37, *repeats) is None
            self.device.advance(0.05)
            self.inverter.advance(0.05, self.pv_watts)
        return self

    def external(self, watts: float, seconds: float = 12) -> Bench:
        """External control, with so much taken from the AC input, in three equal parts, again and again."""
        part = round(watts / 3)
        assert self.write(SYSTEM, 2902, EXTERNAL) is None
        return self.run(seconds, repeats=(part, 0, 0, part, part))

    @property
    def ac_watts(self) -> float:
        return self.inverter.state.ac_watts

    @property
    def battery_watts(self) -> float:
        return self.inverter.state.battery_watts


def test_a_positive_set_point_takes_from_ac_and_charges() -> None:
    bench = Bench(pv_watts=1000).external(3000)

    assert bench.ac_watts == pytest.approx(-3000, abs=5)
    assert bench.battery_watts == pytest.approx(1000 + 3000 * EFFICIENCY, abs=5)


def test_a_negative_set_point_feeds_in_and_discharges() -> None:
    bench = Bench(pv_watts=1000).external(-3000)

    assert bench.ac_watts == pytest.approx(3000, abs=5)
    assert bench.battery_watts == pytest.approx(1000 - 3000 / EFFICIENCY, abs=5)


def test_a_set_point_of_the_pv_leaves_the_battery_idle() -> None:
    assert Bench(pv_watts=2000).external(-2000 * EFFICIENCY).battery_watts == pytest.approx(0, abs=5)


def test_a_set_point_of_zero_holds_and_lets_pv_charge() -> None:
    bench = Bench(pv_watts=2000).external(0)

    assert bench.ac_watts == pytest.approx(0, abs=5)
    assert bench.battery_watts == pytest.approx(2000, abs=5)


def test_the_set_points_of_the_phases_add_up() -> None:
    bench = Bench()
    bench.write(SYSTEM, 2902, EXTERNAL)

    assert bench.run(12, repeats=(900, 0, 0, 600, -300)).ac_watts == pytest.approx(-1200, abs=5)


def test_the_set_point_bounds_feeding_in_to_the_rating() -> None:
    assert Bench(pv_watts=3000).external(-9000).ac_watts == pytest.approx(5000, abs=5)


@pytest.mark.parametrize(("watts", "address"), [(3000, 38), (-3000, 39)])
def test_charging_from_ac_and_feeding_in_can_be_disabled(watts: int, address: int) -> None:
    bench = Bench()
    part = watts // 3
    bench.write(SYSTEM, 2902, EXTERNAL)
    disabled = (part, int(address == 38), int(address == 39), part, part)

    assert bench.run(12, repeats=disabled).ac_watts == pytest.approx(0, abs=5)


def test_set_points_that_are_not_repeated_lapse_and_the_multi_passes_through() -> None:
    bench = Bench(pv_watts=1000).external(-3000)
    state = bench.read(VEBUS, 31)
    kept_watts = bench.run(8).ac_watts
    bench.run(10)

    assert (state, kept_watts) == (EXTERNAL_CONTROL, pytest.approx(3000, abs=5))
    assert bench.ac_watts == pytest.approx(0, abs=5)
    assert bench.battery_watts == pytest.approx(1000, abs=5)
    assert bench.read(VEBUS, 31) == PASSTHRU
    assert bench.read(VEBUS, 37) == 0


def test_the_next_set_point_wakes_it() -> None:
    bench = Bench().external(3000).run(30)

    assert bench.external(1500).ac_watts == pytest.approx(-1500, abs=5)


def test_what_hangs_on_the_ac_output_comes_from_the_battery_where_the_set_point_does_not_bring_it() -> None:
    bench = Bench()
    bench.device.out_watts[:] = [300.0, 600.0, 0.0]
    idle_by_set_point = bench.external(0).battery_watts
    drawn = [signed(bench.read(VEBUS, address)) for address in (23, 24, 25)]

    assert idle_by_set_point == pytest.approx(-900 / EFFICIENCY, abs=5)
    assert drawn == [30, 60, 0]
    assert bench.external(900).battery_watts == pytest.approx(0, abs=5)
    assert sum(signed(bench.read(VEBUS, address)) for address in (12, 13, 14)) == pytest.approx(90, abs=2)


@pytest.mark.parametrize(("disabled", "watts"), [((1, 0), -900 / EFFICIENCY), ((0, 1), 0.0), ((1, 1), 0.0)])
def test_39_stops_inverting_for_the_ac_output_and_38_does_not(disabled: tuple[int, int], watts: float) -> None:
    bench = Bench()
    bench.device.out_watts[0] = 900.0
    bench.write(SYSTEM, 2902, EXTERNAL)

    assert bench.run(12, repeats=(0, *disabled, 0, 0)).battery_watts == pytest.approx(watts, abs=5)


def test_passing_through_the_grid_carries_the_ac_output_and_mode_3_stays() -> None:
    bench = Bench().external(-3000)
    bench.device.out_watts[0] = 900.0
    bench.run(30)

    assert bench.battery_watts == pytest.approx(0, abs=5)
    assert bench.read(SYSTEM, 2902) == EXTERNAL


def test_external_control_does_not_keep_what_the_battery_says_that_it_gives() -> None:
    bench = Bench()
    bench.device.bms_discharge_watts = 512.0

    assert bench.read(BATTERY, 308) == 100
    assert bench.external(-3000).battery_watts < -3000


def test_a_set_point_of_a_phase_that_is_not_there_is_refused() -> None:
    inverter = SimulatedInverter("east", HYBRID)
    multi = VictronGx(inverter, phases=1).others[VEBUS]

    assert multi.write(37, (100,), 0.0) is None
    assert multi.write(40, (100,), 0.0) is ExceptionCode.NO_PATH
    assert multi.read(28, 1) == (1,)


@pytest.mark.parametrize(("unit_id", "address", "word"), [(SYSTEM, 2902, EXTERNAL), (VEBUS, 38, 0)])
def test_other_writes_do_not_keep_set_points_alive(unit_id: int, address: int, word: int) -> None:
    bench = Bench().external(3000).run(6)
    bench.write(unit_id, address, word)

    assert bench.run(8).ac_watts == pytest.approx(0, abs=5)


def test_external_control_begins_passing_through() -> None:
    bench = Bench(pv_watts=1000)
    bench.write(SYSTEM, 2902, EXTERNAL)

    assert bench.run(10).battery_watts == pytest.approx(1000, abs=5)
    assert bench.read(VEBUS, 31) == PASSTHRU


def test_set_points_before_the_mode_are_lost_without_a_word() -> None:
    bench = Bench()

    assert bench.write(VEBUS, 37, 1000) is None
    assert bench.read(VEBUS, 37) == 0

    bench.write(SYSTEM, 2902, EXTERNAL)

    assert bench.run(5).ac_watts == pytest.approx(0, abs=5)


def test_released_it_charges_from_pv_again() -> None:
    bench = Bench(pv_watts=2000).external(-4000)
    assert bench.write(SYSTEM, 2902, 1) is None

    assert bench.run(10).battery_watts == pytest.approx(2000, abs=5)


def test_only_external_control_goes_below_the_minimum_of_the_gx() -> None:
    bench = Bench()
    bench.write(SYSTEM, 2901, 600)
    kept_percent = bench.run(1).inverter.controls.reserve_percent

    assert kept_percent == pytest.approx(60)
    assert bench.external(-1000).battery_watts == pytest.approx(-1000 / EFFICIENCY, abs=5)


def test_excess_pv_is_fed_in_unless_that_is_forbidden() -> None:
    bench = Bench(pv_watts=5900)
    fed_watts = bench.external(0).ac_watts
    bench.write(VEBUS, 65, 1)

    assert fed_watts == pytest.approx(900 * EFFICIENCY, abs=5)
    assert bench.external(0).ac_watts == pytest.approx(0, abs=5)


def test_excess_pv_is_fed_in_up_to_its_limit() -> None:
    bench = Bench(pv_watts=5900)
    bench.write(VEBUS, 66, 1, 1, 1)

    assert bench.external(0).ac_watts == pytest.approx(300, abs=5)


@pytest.mark.parametrize("mode", [1, EXTERNAL])
def test_the_most_charging_current_bounds_the_battery(mode: int) -> None:
    bench = Bench(pv_watts=3000)
    bench.write(SYSTEM, 2705, 20)
    bench.write(SYSTEM, 2902, mode)

    assert bench.run(12, repeats=(1000, 0, 0, 1000, 1000)).battery_watts == pytest.approx(20 * 51.2, abs=5)


@pytest.mark.parametrize("switch", [2, 4])
def test_a_multi_that_is_off_neither_takes_nor_feeds(switch: int) -> None:
    bench = Bench()
    bench.write(VEBUS, 33, switch)

    assert bench.external(3000).ac_watts == 0


def test_a_charger_only_does_not_feed_in() -> None:
    bench = Bench()
    bench.write(VEBUS, 33, 1)

    assert bench.external(-3000).ac_watts == pytest.approx(0, abs=5)
    assert bench.external(1500).ac_watts == pytest.approx(-1500, abs=5)


@pytest.mark.parametrize(
    ("unit_id", "address", "word", "refusal"),
    [
        (SYSTEM, 2902, 4, ExceptionCode.NO_PATH),
        (VEBUS, 33, 0, ExceptionCode.NO_PATH),
        (VEBUS, 38, 2, ExceptionCode.NO_PATH),
        (SYSTEM, 842, 1, ExceptionCode.ILLEGAL_ADDRESS),
        (SYSTEM, 37, 1, ExceptionCode.ILLEGAL_ADDRESS),
        (VEBUS, 12, 1, ExceptionCode.ILLEGAL_ADDRESS),
        (VEBUS, 2902, 3, ExceptionCode.ILLEGAL_ADDRESS),
        (BATTERY, 309, 1, ExceptionCode.ILLEGAL_ADDRESS),
    ],
)
def test_what_is_refused(unit_id: int, address: int, word: int, refusal: ExceptionCode) -> None:
    assert Bench().write(unit_id, address, word) is refusal


def test_the_system_shows_battery_and_pv() -> None:
    bench = Bench(pv_watts=1000).external(-3000)
    battery_watts = signed(bench.read(SYSTEM, 842))

    assert battery_watts == pytest.approx(1000 - 3000 / EFFICIENCY, abs=5)
    assert signed(bench.read(SYSTEM, 841)) == pytest.approx(battery_watts / 5.12, abs=2)
    assert bench.read(SYSTEM, 843) == 50
    assert bench.read(SYSTEM, 844) == 2
    assert bench.read(SYSTEM, 850) == pytest.approx(1000, abs=1)


def test_the_multi_shows_what_it_takes_in_tens_of_watts() -> None:
    feeding, drawing = Bench().external(-3000), Bench().external(3000)

    assert [signed(feeding.read(VEBUS, address)) for address in (12, 13, 14)] == [-100, -100, -100]
    assert [signed(drawing.read(VEBUS, address)) for address in (12, 13, 14)] == [100, 100, 100]
    assert drawing.read(VEBUS, 28) == 3
    assert drawing.read(VEBUS, 22) == round(5000 / 3 / 230 * 10)


def test_the_battery_shows_its_limits() -> None:
    bench = Bench()

    assert bench.read(BATTERY, 309) == pytest.approx(10000 / 51.2 * 10, abs=1)
    assert bench.read(BATTERY, 307) == pytest.approx(5000 / 51.2 * 10, abs=1)
    assert bench.read(BATTERY, 308) == pytest.approx(4000 / 51.2 * 10, abs=1)
    assert bench.read(BATTERY, 266) == 500


def test_the_serial_is_twelve_hexadecimal_digits() -> None:
    words = Bench().unit(SYSTEM).read(800, 6)

    assert isinstance(words, tuple)
    assert len(bytes.fromhex(b"".join(word.to_bytes(2, "big") for word in words).decode())) == 6


@pytest.mark.parametrize(
    ("unit_id", "first", "last"),
    [(SYSTEM, 808, 826), (SYSTEM, 840, 846), (SYSTEM, 2700, 2710), (VEBUS, 3, 68), (BATTERY, 304, 309)],
)
def test_a_block_is_read_in_one_request_and_a_hole_is_not(unit_id: int, first: int, last: int) -> None:
    unit = Bench().unit(unit_id)

    assert isinstance(unit.read(first, last - first + 1), tuple)
    assert unit.read(first, last - first + 2) is ExceptionCode.ILLEGAL_ADDRESS


def test_both_functions_read_the_same_registers() -> None:
    device = Bench().device

    assert device.read_inputs(842, 2) == device.read(842, 2)


def test_every_write_to_any_unit_is_counted() -> None:
    bench = Bench()
    bench.write(SYSTEM, 2902, EXTERNAL)
    bench.write(VEBUS, 37, 100)

    assert [record.registers for record in bench.device.writes] == [("ess_mode",), ("set_watts_l1",)]


def settle(site: VirtualSite) -> None:
    site.set_pv_available("east", 0)
    site.advance(8)


def test_a_foreign_client_reaches_every_unit_on_one_port() -> None:
    config = site_config({"east": HYBRID.model_copy(update={"make": "victron-gx"})})
    east = config.inverters[0].model_copy(update={"unit_id": SYSTEM})
    with serve(config.model_copy(update={"inverters": (east,)}), new_port=free_port) as running:
        address = running.config.inverter("east")
        with ModbusTcpClient(address.host, port=address.port, timeout=5) as modbus:
            assert not modbus.write_register(2902, EXTERNAL, device_id=SYSTEM).isError()
            assert not modbus.write_registers(37, [1000, 0, 0, 1000, 1000], device_id=VEBUS).isError()
            running.call(settle)
            watts = modbus.read_input_registers(842, count=1, device_id=SYSTEM).registers
            drawn = modbus.read_holding_registers(12, count=3, device_id=VEBUS).registers
            amps = modbus.read_holding_registers(307, count=1, device_id=BATTERY).registers
            assert modbus.read_holding_registers(842, count=1, device_id=VEBUS).exception_code == 2
            assert modbus.read_holding_registers(842, count=1, device_id=1).exception_code == 0x0B

    assert watts[0] > 2500
    assert sum(drawn) == pytest.approx(300, abs=3)
    assert amps[0] == pytest.approx(977, abs=1)
