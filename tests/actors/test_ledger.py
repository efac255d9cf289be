"""The ledger on the disk: what is in the file, whatever happens to the program or to the file."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from actors.actor import Surroundings
from actors.clock import ManualClock
from actors.files.ledger_file import FILE_NAME, LedgerFile, LedgerUnreadable, read_excesses
from actors.ledger import LedgerActor
from actors.messages import ExcessEnded
from actors.observer import NoObserver
from actors.prometheus.observer import PrometheusObserver
from actors.web.actor import WebActor
from actors.web.by_hand import ByHand
from actors.web.state import WebState
from orchestrator.ledger.excess import Excess, Outcome, SiteContext
from orchestrator.reason import because
from orchestrator.setpoints.fields import SetpointFields
from tests.support.inboxes import Inbox
from tests.support.records.cycles import cycle_result, site_config
from tests.support.servers.required import wait_until

REPOSITORY = Path(__file__).parents[2]
EXPORT_1000 = SetpointFields(export_limit_watts=1000.0)
START = datetime(2026, 1, 1, tzinfo=UTC)
LONG_AGO, FAR_AHEAD = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
EXCESS = Excess("export", START, 1000.0, "fixed", 7.0, 500.0, 1.5, Outcome.ENDED, SiteContext(away=("roof",)))


def rows(folder: Path) -> list[Excess]:
    return read_excesses(folder / FILE_NAME, LONG_AGO, FAR_AHEAD)


@dataclass
class Keeping:
    """A running LedgerActor on a clock of its own."""

    ref: Any
    clock: ManualClock
    listener: Inbox
    folder: Path
    cycles: int = 0

    def exports(self, *watts: float) -> None:
        """One cycle each second; returns when the actor has handled them."""
        for each in watts:
            self.clock.advance(1.0)
            self.cycles += 1
            self.ref.tell(cycle_result(-each, self.clock.now_s(), EXPORT_1000))
        self.ref.ask("done")


@contextlib.contextmanager
def keeping(folder: Path, **ledger: float) -> Iterator[Keeping]:
    clock, listener = ManualClock(), Inbox()
    config = site_config(control={"state_dir": str(folder)}, ledger=ledger)
    ref = LedgerActor.start(Surroundings(clock, NoObserver(), Inbox()), config, (listener,))
    try:
        yield Keeping(ref, clock, listener, folder)
    finally:
        ref.stop()


def test_an_excess_is_in_the_file_from_its_first_second(tmp_path: Path) -> None:
    with keeping(tmp_path) as ledger:
        ledger.exports(900, 2000)

        assert [(row.duration_s, row.outcome) for row in rows(tmp_path)] == [(0, Outcome.OPEN)]
        assert rows(tmp_path)[0].began_at == START + timedelta(seconds=2)


def test_each_second_of_it_is_in_the_file(tmp_path: Path) -> None:
    with keeping(tmp_path) as ledger:
        for seconds in range(5):
            ledger.exports(2000)

            assert [row.duration_s for row in rows(tmp_path)] == [seconds]


def test_when_it_is_over_it_is_recorded_and_told_once(tmp_path: Path) -> None:
    with keeping(tmp_path) as ledger:
        ledger.exports(2000, 2000, 900, 900, 900, 900)

        ended = ledger.listener.of(ExcessEnded)
        assert [(each.excess.duration_s, each.excess.outcome) for each in ended] == [(2, Outcome.ENDED)]
        assert rows(tmp_path) == [ended[0].excess]


def test_an_orderly_stop_records_what_is_open_as_unseen(tmp_path: Path) -> None:
    with keeping(tmp_path) as ledger:
        ledger.exports(2000, 2000)

    assert [(row.duration_s, row.outcome) for row in rows(tmp_path)] == [(1, Outcome.UNSEEN)]


def test_what_is_older_than_the_retention_is_forgotten(tmp_path: Path) -> None:
    with contextlib.closing(LedgerFile.open(tmp_path / FILE_NAME, START)) as file:
        file.record([replace(EXCESS, began_at=START - timedelta(days=days)) for days in (3, 5)])
    with keeping(tmp_path, retention_days=4) as ledger:
        ledger.exports(900)

        assert [row.began_at for row in rows(tmp_path)] == [START - timedelta(days=3)]


def test_the_file_is_looked_through_again_while_the_plant_runs(tmp_path: Path) -> None:
    with keeping(tmp_path, retention_days=1) as ledger:
        ledger.exports(2000, 900, 900, 900)
        ledger.clock.advance(2 * 86400)
        ledger.exports(900)

        assert rows(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no database at all, but longer than a header of SQLite would be" * 20, "file is not a database"),
        (b"SQLite format 3\x00" + bytes(range(256)) * 16, ""),
    ],
)
def test_a_foreign_file_is_set_aside_and_said(
    tmp_path: Path, content: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with keeping(tmp_path) as ledger:
        ledger.exports(2000)

        assert len(rows(tmp_path)) == 1
    aside = [path for path in tmp_path.iterdir() if "unusable" in path.name]
    assert [path.read_bytes() for path in aside] == [content]
    assert aside[0].name in caplog.text
    assert reason in caplog.text


def test_the_database_of_another_program_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as other, other:
        other.execute("CREATE TABLE songs (title TEXT)")
    with keeping(tmp_path) as ledger:
        ledger.exports(2000)

        assert len(rows(tmp_path)) == 1
    assert "it is another program's database" in caplog.text


def test_a_ledger_of_a_later_version_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    LedgerFile.open(tmp_path / FILE_NAME, START).close()
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as later:
        later.execute("PRAGMA user_version = 99")
    with keeping(tmp_path) as ledger:
        ledger.exports(2000)

        assert len(rows(tmp_path)) == 1
    assert "another version" in caplog.text


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_torn_file_is_set_aside(tmp_path: Path, part: float) -> None:
    path = tmp_path / FILE_NAME
    with contextlib.closing(LedgerFile.open(path, START)) as file:
        file.record([replace(EXCESS, began_at=START + timedelta(seconds=number)) for number in range(300)])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with keeping(tmp_path) as ledger:
        ledger.exports(2000)

        assert len(rows(tmp_path)) == 1
    assert len([each for each in tmp_path.iterdir() if "unusable" in each.name]) == 1


def test_a_file_with_a_damaged_page_in_it_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / FILE_NAME
    with contextlib.closing(LedgerFile.open(path, START)) as file:
        file.record([replace(EXCESS, began_at=START + timedelta(seconds=number)) for number in range(300)])
    content = bytearray(path.read_bytes())
    content[5 * 4096 : 6 * 4096] = b"\xaa" * 4096
    path.write_bytes(content)
    with keeping(tmp_path) as ledger:
        ledger.exports(2000)

        assert len(rows(tmp_path)) == 1
    assert "unusable" in caplog.text


def test_a_file_whose_rows_are_out_of_order_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / FILE_NAME
    with contextlib.closing(LedgerFile.open(path, START)) as file:
        file.record([replace(EXCESS, began_at=START + timedelta(seconds=number)) for number in range(9)])
    path.write_bytes(path.read_bytes().replace(b"00:00:03.000", b"00:09:03.000"))
    with keeping(tmp_path) as ledger:
        ledger.exports(2000)

        assert len(rows(tmp_path)) == 1
    assert "it is damaged: row not in PRIMARY KEY order" in caplog.text


def test_a_folder_that_cannot_be_written_costs_no_cycle_and_no_excess(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "state"
    folder.write_text("in the way")
    with keeping(folder) as ledger:
        ledger.exports(2000, 2000, 900, 900, 900)
        assert len(ledger.listener.of(ExcessEnded)) == 1
        ledger.clock.advance(10)
        ledger.exports(900)
        folder.unlink()
        ledger.clock.advance(10)
        ledger.exports(900)

        assert [row.duration_s for row in rows(folder)] == [2]
    assert caplog.text.count("cannot be written") == 1


def test_a_deleted_file_is_replaced(tmp_path: Path) -> None:
    with keeping(tmp_path) as ledger:
        ledger.exports(2000)
    (tmp_path / FILE_NAME).unlink()
    with keeping(tmp_path) as ledger:
        ledger.exports(2000)

        assert len(rows(tmp_path)) == 1


KILLED = """
import sys, time
from pathlib import Path
from actors.actor import Surroundings
from actors.clock import RealClock
from actors.ledger import LedgerActor
from actors.observer import NoObserver
from tests.actors.test_ledger import EXPORT_1000
from tests.support.records.cycles import cycle_result, site_config
from tests.support.inboxes import Inbox
config = site_config(control={"state_dir": sys.argv[1]})
ref = LedgerActor.start(Surroundings(RealClock(), NoObserver(), Inbox()), config, ())
for number in range(100000):
    ref.tell(cycle_result(-2000.0, float(number), EXPORT_1000))
    ref.ask("done")
    print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_seen_before_the_last_second(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], cwd=REPOSITORY, stdout=subprocess.PIPE)
    assert process.stdout is not None
    seen = [int(process.stdout.readline()) for _ in range(50)][-1]
    os.kill(process.pid, signal.SIGKILL)
    seen = max([seen, *(int(line) for line in process.stdout if line.endswith(b"\n"))])
    process.wait()
    process.stdout.close()

    assert rows(tmp_path)[0].outcome is Outcome.OPEN
    assert rows(tmp_path)[0].duration_s >= seen
    with keeping(tmp_path):
        wait_until(lambda: rows(tmp_path)[0].outcome is Outcome.UNSEEN, "the ledger of the next run")


def test_the_file_never_has_more_rows_than_its_bound(tmp_path: Path) -> None:
    with contextlib.closing(LedgerFile.open(tmp_path / FILE_NAME, START)) as file:
        file.record([replace(EXCESS, began_at=START + timedelta(seconds=number)) for number in range(27)])

        assert file.prune(LONG_AGO, most_rows=20) == 7
        assert file.prune(LONG_AGO, most_rows=20) == 0
    assert len(rows(tmp_path)) == 20
    assert rows(tmp_path)[0].began_at == START + timedelta(seconds=7)


def test_a_report_reads_what_began_from_the_first_to_before_the_last_moment(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with contextlib.closing(LedgerFile.open(path, START)) as file:
        file.record([replace(EXCESS, began_at=START + timedelta(seconds=number)) for number in range(5)])

    found = read_excesses(path, START + timedelta(seconds=1), START + timedelta(seconds=3))
    assert [excess.began_at.second for excess in found] == [1, 2]
    assert found[0].context.away == ("roof",)


@pytest.mark.parametrize("written", ["[]", '[{"code": 7}]', None])
def test_reasons_that_another_version_wrote_leave_their_words(tmp_path: Path, written: str | None) -> None:
    why = because("charge", watts=900.0, why=because("surplus", source="fixed"))
    context = replace(EXCESS.context, reasons=("charge 900 W",), why=(why,))
    with contextlib.closing(LedgerFile.open(tmp_path / FILE_NAME, START)) as file:
        file.record([replace(EXCESS, context=context)])
    assert rows(tmp_path)[0].context == context

    change = "json_remove(context, '$.why')" if written is None else f"json_set(context, '$.why', json('{written}'))"
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute(f"UPDATE excess SET context = {change}")
    assert rows(tmp_path)[0].context == replace(context, why=())


def test_no_file_is_an_empty_ledger(tmp_path: Path) -> None:
    assert rows(tmp_path) == []


def test_a_report_of_a_foreign_file_says_which(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("nothing to see here" * 100)
    with pytest.raises(LedgerUnreadable, match=FILE_NAME):
        rows(tmp_path)


@settings(max_examples=20)  # each one syncs a file
@given(
    st.builds(
        Excess,
        limit=st.sampled_from(["export", "import", "generation", "load"]),
        began_at=st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(
            lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
        ),
        limit_watts=st.floats(0, 1e9),
        source=st.text(),
        duration_s=st.floats(0, 1e6),
        peak_watts=st.floats(0, 1e9),
        watt_hours=st.floats(0, 1e9),
        outcome=st.sampled_from(Outcome),
        context=st.builds(SiteContext, mode=st.text(), site_watts=st.none() | st.floats(-1e9, 1e9)),
    )
)
def test_what_is_read_is_what_was_written(excess: Excess) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        with contextlib.closing(LedgerFile.open(Path(folder) / FILE_NAME, START)) as file:
            file.record([excess])
            file.record([excess])

        assert rows(Path(folder)) == [excess]


def test_the_durations_are_counted_against_the_rules_in_prometheus() -> None:
    prometheus = PrometheusObserver("home", "1")
    config = site_config(metrics={"port": 0}, page={"enabled": False})
    by_hand = ByHand(Path("/nonexistent"), Inbox(), ManualClock(), can_be_resumed=False)
    state = WebState(config, prometheus, by_hand, ManualClock())
    ref = WebActor.start(Surroundings(ManualClock(), prometheus, Inbox()), state)
    for seconds in (4.0, 5.0, 9.0, 14.0, 60.0):
        ref.tell(ExcessEnded(replace(EXCESS, duration_s=seconds)))
    ref.stop()

    registry: CollectorRegistry = prometheus.registry
    name = "orchestrator_limit_excess_duration_seconds"
    counts = [registry.get_sample_value(f"{name}_bucket", {"limit": "export", "le": le}) for le in RULES]
    assert counts == [2, 3, 4, 5]
    assert registry.get_sample_value(f"{name}_count", {"limit": "import"}) == 0


RULES = ("5.0", "10.0", "15.0", "+Inf")


def test_without_an_excess_there_is_no_file(tmp_path: Path) -> None:
    with keeping(tmp_path / "state") as ledger:
        ledger.exports(900, 900)

    assert not (tmp_path / "state").exists()
