from __future__ import annotations

from pathlib import Path

from actors.files.sign_store import FILE_NAME, SignStore
from orchestrator.config.sections import MeterConfig
from orchestrator.loop import meter_sign

METER = MeterConfig.model_validate({"host": "10.0.0.9"})
TURNED = meter_sign.turned(meter_sign.initial("auto"))


def kept(folder: Path, *signs: meter_sign.MeterSign) -> meter_sign.MeterSign | None:
    """What the next start finds after these were kept, one after the other."""
    store = SignStore(folder, METER)
    for sign in signs:
        store.keep(METER, sign)
    store.close()
    return SignStore(folder, METER).sign


def test_a_proven_sign_is_there_at_the_next_start(tmp_path: Path) -> None:
    found = kept(tmp_path, meter_sign.initial("auto"), TURNED)

    assert found is not None
    assert (found.export_positive, found.latched) == (True, True)


def test_what_is_proven_no_more_is_forgotten(tmp_path: Path) -> None:
    kept(tmp_path, TURNED)

    assert kept(tmp_path, meter_sign.initial("auto")) is None


def test_nothing_is_written_while_nothing_is_proven(tmp_path: Path) -> None:
    assert kept(tmp_path / "state", meter_sign.initial("auto")) is None
    assert not (tmp_path / "state").exists()


def test_a_broken_file_is_as_none_and_is_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{")

    assert SignStore(tmp_path, METER).sign is None
    assert kept(tmp_path, TURNED) is not None
