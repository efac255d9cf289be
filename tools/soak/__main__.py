"""The command: `python -m tools.soak --seconds 3600 --events 10000 --seeds fresh`. Exit code 1 where anything broke."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.support.storms.laws import judge
from tools.soak.process import verdict
from tools.soak.site import Soaked, soak


def main() -> int:
    asked = _arguments()
    seed = random.SystemRandom().randrange(10**6, 10**9) if asked.seeds == "fresh" else 0
    broken = storms(asked.events, seed)
    if asked.seconds > 0:
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            broken += told(soak(Path(folder), asked.seconds, kills=asked.kills, seed=seed))
    print("all held" if not broken else f"{broken} things broke")
    return 1 if broken else 0


def storms(events: int, seed: int) -> int:
    """Play storms from `seed` on until `events` faults have happened; how many broke a law, each is printed."""
    seen, broken, causes = 0, 0, Counter[str]()
    while seen < events:
        found = judge(seed)
        seen, causes = seen + found.faults, causes + found.causes
        if found.broken:
            broken += 1
            print(f"seed {seed} breaks a law; add it to FOUND in tests/closed_loop/test_storms.py:")
            print("\n".join(f"  {line}" for line in found.broken[:10]), flush=True)
        seed += 1
    print(f"{seen} faults in virtual time; seconds above limits by cause:")
    for cause, seconds in causes.most_common():
        print(f"  {seconds:6d} s  {cause}")
    return broken


def told(soaked: Soaked) -> int:
    """Print what was seen of the real site; how much of it was wrong."""
    lines = [*soaked.broken, *verdict(soaked.samples)]
    print(f"a real site for {soaked.seconds:.0f} s: {soaked.kills} kills, {soaked.faults} faults on the wire")
    print(f"  longest above the export limit: {soaked.longest_above_s:.1f} s; rows of the ledger: {soaked.ledger_rows}")
    for sample in soaked.samples[:: max(len(soaked.samples) // 12, 1)]:
        print(f"  {sample}")
    for line in lines:
        print(f"  BROKEN {line}")
    return len(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0, help="how long the real site runs; 0: not at all")
    parser.add_argument("--events", type=int, default=10_000, help="how many faults in virtual time at least")
    parser.add_argument("--kills", type=int, default=200, help="how often the process is killed meanwhile at most")
    parser.add_argument("--seeds", choices=("fixed", "fresh"), default="fixed", help="the seeds of the storms")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
