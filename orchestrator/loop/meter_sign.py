"""Which way a meter counts: the sign of W is not fixed by its model (Fronius + is import, SolarEdge + is export).

With "auto" a meter is taken as import + until its own counters prove otherwise: when only the export counter moves
while W stays above zero, the sign is reversed. The counters say export and import in every make seen.

Counters may run while a slow meter still shows the W of some seconds ago, which may have turned since. So only a new
value of W is looked at, with what the counters have done since the one before.

A meter that is mounted the wrong way round counts the wrong way too: its counters agree with its W, and both are wrong.
Only the plant's own moves show that, so where they have turned the sign its counters have no say any more.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.samples import MeterSample

Sign = Literal["import_positive", "export_positive", "auto"]

CLEAR_WATTS: Final = 50.0
"""Closer to zero than this, W says nothing about its sign."""
PROOFS_NEEDED: Final = 3


class MeterSign(Struct, frozen=True):
    """What is known of the sign. `export_positive` is the answer; the rest is the evidence.

    `proofs` counts counter steps in a row that speak for import + (above 0) or export + (below 0). `steady` is the
    sign that W has had since the counters last moved, 0 when it changed. `value_at_s` is when the W came that was
    looked at last. `latched`: the plant's own moves have spoken. `contradicted`: they have spoken again, against what
    they had proven; then neither sign can be believed.
    """

    automatic: bool = True
    export_positive: bool = False
    proofs: int = 0
    steady: int = 0
    import_wh: float | None = None
    export_wh: float | None = None
    value_at_s: float | None = None
    latched: bool = False
    contradicted: bool = False

    @property
    def is_proven(self) -> bool:
        """Whether it says more than what is assumed of any meter, so that it is worth keeping."""
        return self.automatic and (self.export_positive or self.latched)


def initial(sign: Sign) -> MeterSign:
    """The state to start from, by the word in site.yaml."""
    return MeterSign(automatic=sign == "auto", export_positive=sign == "export_positive")


def oriented(state: MeterSign, sample: MeterSample) -> MeterSample:
    """The sample with import +, and orientation 0 where that cannot be believed. Counters keep their names."""
    if state.contradicted:
        return replace(oriented(replace(state, contradicted=False), sample), orientation=0)
    if not state.export_positive:
        return sample
    phases = tuple(0.0 - watts for watts in sample.phase_watts)
    reactive = None if sample.site_vars is None else 0.0 - sample.site_vars
    turned = replace(sample, site_watts=0.0 - sample.site_watts, site_vars=reactive)
    return replace(turned, phase_watts=phases, orientation=-1)


def observe(state: MeterSign, sample: MeterSample) -> MeterSign:
    """The state after one more sample, which must be as the meter sent it (not `oriented`)."""
    if not state.automatic or state.latched or sample.import_wh is None or sample.export_wh is None:
        return state
    if sample.changed_at_s == state.value_at_s:
        return state
    sign = _sign(sample.site_watts)
    if state.import_wh is None or state.export_wh is None:
        # What the counters do next may have begun before we looked: W counts from the next step on.
        return _counted(state, sample, steady=0)
    imported = sample.import_wh - state.import_wh
    exported = sample.export_wh - state.export_wh
    if imported == 0 and exported == 0:
        return _counted(state, sample, steady=sign if sign == state.steady else 0)
    if sign != state.steady or imported < 0 or exported < 0 or (imported > 0 and exported > 0):
        return _counted(state, sample, steady=sign)
    return _weighed(_counted(state, sample, steady=sign), sign if imported > 0 else -sign)


def _counted(state: MeterSign, sample: MeterSample, *, steady: int) -> MeterSign:
    """From this sample on."""
    return replace(
        state,
        steady=steady,
        import_wh=sample.import_wh,
        export_wh=sample.export_wh,
        value_at_s=sample.changed_at_s,
    )


def turned(state: MeterSign) -> MeterSign:
    """The state after the plant's own moves proved the sign wrong.

    A sign that site.yaml names is not turned. One that they had proven themselves is not turned either: to and fro is
    no proof, and each turn costs seconds above the limits.
    """
    if not state.automatic:
        return state
    if state.latched:
        return replace(state, contradicted=True)
    return replace(state, export_positive=not state.export_positive, proofs=0, latched=True)


def kept(*, export_positive: bool, latched: bool, contradicted: bool) -> MeterSign:
    """The state as it was before a restart, without the evidence of counters that led to it."""
    proofs = -PROOFS_NEEDED if export_positive else 0
    return MeterSign(export_positive=export_positive, proofs=proofs, latched=latched, contradicted=contradicted)


def _weighed(state: MeterSign, proof: int) -> MeterSign:
    """One more proof: +1 for import +, -1 for export +, 0 for none. A contrary one restarts the count."""
    proofs = state.proofs + proof if state.proofs * proof >= 0 else proof
    proofs = max(-PROOFS_NEEDED, min(proofs, PROOFS_NEEDED))
    if abs(proofs) < PROOFS_NEEDED:
        return replace(state, proofs=proofs)
    return replace(state, proofs=proofs, export_positive=proofs < 0)


def _sign(watts: float) -> int:
    if abs(watts) < CLEAR_WATTS:
        return 0
    return 1 if watts > 0 else -1
