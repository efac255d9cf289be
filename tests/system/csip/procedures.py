"""Which procedures are played, on which site, and the table of what came out.

    .ci/csip_procedures && .venv/bin/python -m tests.system.csip.procedures [NAME ...]

plays them (all where none is named) and prints the rows of docs/csip-aus.md.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from orchestrator.simulation.network.virtual import InverterFault
from tests.system.csip.bench import RATED_WATTS, Bench, bench
from tests.system.csip.measures import Ramp, longest_excess_s, ramps
from tests.system.csip.player import CannotBePlayed, Player, load

FOLDER: Final = Path(__file__).parents[3] / ".csip-procedures/cactus_test_definitions/client/procedures"
FIRST: Final = ("LOA-01", "LOA-03", "LOA-09", "LOA-10", "LOA-13", "ALL-23", "ALL-28", "GEN-10")
"""Those that the best known open client does not pass."""
OF_DEVICES: Final = {f"GEN-{n}": "generation" for n in ("02", "04", "12")} | {
    f"LOA-{n}": "load" for n in ("02", "04", "12")
}
LIKE_IMPORT: Final = ("LOA", "ALT-LOA")
SUBSCRIPTIONS: Final = {f"ALL-{n}" for n in (14, 15, 16, 17)} | {
    f"{c}-0{n}" for c in ("GEN", "LOA") for n in (5, 6, 7, 8)
}
NOT_PLAYED: Final[dict[str, str]] = {
    **dict.fromkeys(sorted(SUBSCRIPTIONS), "for clients that subscribe (class S); this one polls"),
    **dict.fromkeys([f"PRC-0{n}" for n in range(1, 6)], "pricing is not part of the client"),
    **dict.fromkeys(["DRA-01", "DRA-02", "DRD-01", "DRG-01", "DRL-01"], "for demand response devices (AS/NZS 4755)"),
    "P-01": "needs a client with several end devices",
}
PIN: Final = 111115
SHOWN: Final = 3
"""So many ramps of a procedure are in the table."""
TOLERANCE_WATTS: Final = 50.0
"""1 % of what the site is registered with, as the ledger allows."""
KNOWN_FROM: Final[dict[str, dict[str, Any]]] = {
    "ALL-02": {"register_device": True},
    "ALL-03": {"register_device": True, "connection_point": "41020000001"},
    "ALL-03-REJ": {"register_device": True, "pin": PIN},
    "ALL-04": {"register_device": True, "pin": PIN},
    "ALL-05": {"register_device": True},
    "SDVN-01": {"register_device": True, "connection_point": "41020000001", "version": "1.3"},
}
"""Keys of site.yaml, and that the server does not know the site yet."""


Act = Callable[[Bench], None]


def _load(watts: float) -> Act:
    return lambda site: site.plant.site.set_load(watts)


def _sun(watts: float) -> Act:
    return lambda site: site.plant.site.set_pv_available("east", watts)


def _off(*names: str) -> Act:
    def act(site: Bench) -> None:
        site.plant.inverter_faults = dict.fromkeys(names, InverterFault.OFFLINE)

    return act


def _start_anew(site: Bench) -> None:
    site.kill()


VARIABLE_LOAD: Final = ((120, _load(0.2 * RATED_WATTS)), (240, _load(0.1 * RATED_WATTS)), (360, _load(0.0)))
SCRIPTS: Final[dict[str, tuple[tuple[float, Act], ...]]] = {
    "LOA-13": VARIABLE_LOAD,
    "ALT-LOA-13": VARIABLE_LOAD,
    "GEN-13": VARIABLE_LOAD,
    "ALL-07": ((20, _off("east")), (150, _off())),
    "ALL-08": ((20, _sun(0.0)), (150, _sun(5500.0))),
    "MUL-01": ((70, _off("east")), (200, _off("east", "west"))),
    "STO-05": ((90, _start_anew),),
}
"""What the procedure has a person do at the site. In STO-05 the client is to register again."""
UPON: Final[dict[str, dict[str, Act]]] = {"ALL-30": {"CLIENT-POWER-CYCLE": _start_anew}}
WAITS: Final[dict[str, dict[str, float]]] = {
    "ALL-30": {"REESTABLISH-COMMUNICATION": 200.0},
    "P-03": {"PROCEED-OBSERVE-ZERO": 240.0, "PROCEED-OBSERVE-DEFAULT": 120.0},
}
"""How long a person looks on."""
LONGEST: Final = {"ALL-25-EXT": 76 * 3600.0, "SDVN-01": 300.0}
LOADS: Final = dict.fromkeys(("ALL-11", "ALL-12", "ALL-26", "ALL-27"), 0.6 * RATED_WATTS) | {
    "ALL-29": 0.1 * RATED_WATTS,
    "ALT-ALL-29": 0.1 * RATED_WATTS,
    "ALL-06": 0.25 * RATED_WATTS,
    "MUL-02": 0.1 * RATED_WATTS,
}


@dataclass(frozen=True)
class Played:
    """What came of one procedure: `failed` is empty where it passed."""

    name: str
    failed: tuple[str, ...]
    lasted_s: float
    ramps: tuple[Ramp, ...]
    without: tuple[str, ...] = ()
    excess_s: int = 0

    @property
    def verdict(self) -> str:
        if self.failed:
            return "failed"
        return "passed in part" if self.without else "passed"

    @property
    def measured(self) -> str:
        """What is worth a look, in few words."""
        told = [f"{each}, then {each.after_watts:.0f} W" for each in self.ramps[:SHOWN]]
        if SCRIPTS.get(self.name) is VARIABLE_LOAD:
            told.append(f"above the limit by more than {TOLERANCE_WATTS:.0f} W for {self.excess_s} s at most")
        unknown = [f"without {', '.join(self.without)}, which it does not know"] if self.without else []
        return "; ".join([*self.failed, *unknown] or told) or "-"


def play(name: str, folder: Path) -> Played:
    """Play one procedure. Raises CannotBePlayed."""
    keys = dict(KNOWN_FROM.get(name, {}))
    with bench(folder, **scene(name), **keys) as site:
        site.utility.knows_device = not keys.get("register_device")
        player = Player(site, load(FOLDER, name), script=SCRIPTS.get(name, ()), upon=dict(UPON.get(name, {})))
        player.waits = WAITS.get(name, {})
        player.longest_s = LONGEST.get(name, player.longest_s)
        failed = player.play()
        which = OF_DEVICES.get(name, "import" if name.startswith(LIKE_IMPORT) else "export")
        seen = [each for each in site.records if each.at_s >= player.begun_s]
        found = ramps(seen, which, RATED_WATTS)
        excess_s = longest_excess_s(seen, which, TOLERANCE_WATTS)
        return Played(name, tuple(failed), site.now_s - player.begun_s, tuple(found), tuple(player.without), excess_s)


def scene(name: str) -> dict[str, Any]:
    """The site of a procedure: it exports PV, or its battery fills itself from the grid."""
    if name.startswith(LIKE_IMPORT):
        return {"charges": True}
    if name.startswith("STO"):
        return {"version": "1.3", "rated_vars": 2200.0, "least_power_factor": 0.8}
    if name.startswith("SDVN"):
        return {"start": "/.well-known/csipaus"}
    more = {"inverters": 2} if name.startswith("MUL") else {}
    return {"pv_watts": 5500.0, "has_battery": False, "load_watts": LOADS.get(name, 0.0)} | more


def rows(names: Sequence[str]) -> Iterator[str]:
    """The rows of the table, as they are played."""
    for name in names:
        described = load(FOLDER, name)["Description"].strip()
        if name in NOT_PLAYED:
            yield f"| {name} | {described} | not played | {NOT_PLAYED[name]} |"
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                played = play(name, Path(folder))
            except CannotBePlayed as why:
                yield f"| {name} | {described} | not played | {why} |"
                continue
        yield f"| {name} | {described} | {played.verdict}, {played.lasted_s:.0f} s | {played.measured} |"


if __name__ == "__main__":
    for row in rows(sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.yaml"))):
        print(row, flush=True)
