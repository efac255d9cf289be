"""A Prometheus that is asked over HTTP."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tools.queries.catalogue import Asked, Span

STEP_S: Final = 1
LOOK_BACK_S: Final = 15
"""A range query asks for so much: a graph of the last seconds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the newest value of each series by its labels, or the error."""

    values: Mapping[str, str]
    error: str = ""


class Prometheus:
    """One server, by its base URL such as http://127.0.0.1:9090."""

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s

    def ask(self, expr: str, span: Span = "instant") -> Answer:
        """The answer to one query. An error of the query is an answer; OSError is raised where nobody answers."""
        if span == "instant":
            reply = self._get("query", {"query": expr})
        else:
            now_s = time.time()
            reply = self._get(
                "query_range", {"query": expr, "start": now_s - LOOK_BACK_S, "end": now_s, "step": STEP_S}
            )
        if reply["status"] != "success":
            return Answer({}, f"{reply['errorType']}: {reply['error']}")
        return Answer({_labels(each["metric"]): _newest(each) for each in reply["data"]["result"]})

    def label(self, selector: str, name: str) -> str | None:
        """The value of a label in the first series of a selector, None where there is no series."""
        found = self._get("query", {"query": selector})["data"]["result"]
        return str(found[0]["metric"][name]) if found else None

    def _get(self, what: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        url = f"{self._url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=self._timeout_s) as reply:
                return dict(json.load(reply))
        except urllib.error.HTTPError as refusal:
            return dict(json.load(refusal))  # a wrong query is answered with status 400 and the reason


@dataclass(frozen=True, slots=True)
class Asking:
    """One query with its answer. For an alert, `missing` are its selectors that no series has."""

    asked: Asked
    answer: Answer
    missing: tuple[str, ...] = ()

    @property
    def trouble(self) -> str:
        """What is wrong with it, "" where nothing is."""
        if self.answer.error:
            return self.answer.error
        if self.missing:
            return f"no series for {', '.join(self.missing)}"
        if self.asked.is_alert:
            return "fires" if self.answer.values else ""
        return "" if self.answer.values else "no series"


def ask(prometheus: Prometheus, asked: Asked) -> Asking:
    """Ask one query. An alert must be silent, but everything that it looks at must be there."""
    answer = prometheus.ask(asked.expr, asked.span)
    if not asked.is_alert:
        return Asking(asked, answer)
    return Asking(asked, answer, tuple(each for each in asked.selectors() if not prometheus.ask(each).values))


def _labels(metric: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(metric.items()) if key not in ("__name__", "job"))


def _newest(series: Mapping[str, Any]) -> str:
    return str(series["value"][1] if "value" in series else series["values"][-1][1])
