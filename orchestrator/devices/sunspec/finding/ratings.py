"""What a device says about itself and its battery, from the models of either generation that have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.devices.base import Registers
from orchestrator.devices.sunspec.device import COMMON, CONTROLS, DER_CONTROLS, FoundModel
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.registers import read_raw, read_value
from orchestrator.samples import Nameplate

AC_RATINGS: Final = ("120.WRtg", "702.WMaxRtg")
AC_SETTINGS: Final = ("121.WMax", "702.WMax")
CHARGE: Final = ("120.MaxChaRte", "702.WChaRteMaxRtg", "702.WChaRteMax", "802.WChaRteMax")
DISCHARGE: Final = ("120.MaxDisChaRte", "702.WDisChaRteMaxRtg", "702.WDisChaRteMax", "802.WDisChaRteMax")
CAPACITY: Final = ("120.WHRtg", "713.WHRtg", "802.WHRtg")
AC_REFERENCES: Final = {CONTROLS: ("121.WMax", "120.WRtg"), DER_CONTROLS: ("702.WMax", "702.WMaxRtg")}
"""What 100 % of WMaxLimPct means, by the model that has it; the first that is known counts."""

_ALL: Final = (*AC_RATINGS, *AC_SETTINGS, *CHARGE, *DISCHARGE, *CAPACITY, "124.WChaMax")

Ratings = Mapping[str, float]
"""Ratings in W and Wh by point name, only those that are above zero: a rating of 0 says nothing."""


def read_ratings(first: Mapping[int, FoundModel], words: Registers) -> Ratings:
    """The ratings in `words`; `first` are the models by id."""
    ratings: dict[str, float] = {}
    for label in _ALL:
        model_id, name = int(label[:3]), label[4:]
        if model_id in first:
            value = read_value(words, first[model_id].address, MODELS[model_id][name])
            if value is not None and value > 0:
                ratings[label] = value
    return ratings


def first_of(ratings: Ratings, labels: tuple[str, ...]) -> float | None:
    """The first of `labels` that is known."""
    return next((ratings[label] for label in labels if label in ratings), None)


def nameplate(first: Mapping[int, FoundModel], words: Registers, ratings: Ratings) -> Nameplate:
    """Model 1, with the lowest of what the other models say about each power."""
    common = first.get(COMMON)

    def text(name: str) -> str:
        return "" if common is None else read_raw(words, common.address, MODELS[COMMON][name]) or ""

    return Nameplate(
        manufacturer=text("Mn"),
        model=text("Md"),
        version=text("Vr"),
        serial=text("SN"),
        ac_max_watts=_lowest(ratings, (*AC_RATINGS, *AC_SETTINGS)),
        charge_max_watts=_lowest(ratings, CHARGE),
        discharge_max_watts=_lowest(ratings, DISCHARGE),
        capacity_wh=first_of(ratings, CAPACITY),
    )


def _lowest(ratings: Ratings, labels: tuple[str, ...]) -> float | None:
    return min((ratings[label] for label in labels if label in ratings), default=None)
