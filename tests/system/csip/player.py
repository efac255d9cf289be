"""Plays procedures of `cactus-test-definitions` (the client tests of CSIP-AUS) on the virtual site, in virtual time.

The definitions are not part of this project: `.ci/csip_procedures` fetches them. A step waits for a request or for some
time; its actions change what the server says, and enable further steps. Criteria are checked at the end. What a person
would have to look at (how steep a ramp is) is measured here by `measures.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from tests.system.csip.bench import RATED_WATTS, Bench
from tests.system.csip.server import REMOVED, RESPONSES, SEP, Asked, ServedProgram, Utility, text

NMI = "41020000001"
RATES = {
    "dcap_poll_seconds": "dcap",
    "edev_list_poll_seconds": "edev_list",
    "fsa_list_poll_seconds": "fsa_list",
    "der_list_poll_seconds": "der_list",
    "derp_list_poll_seconds": "derp_list",
    "mup_list_poll_seconds": "mup_list",
    "mup_post_seconds": "mup_post",
}
RANDOM = {f"$randuri_{n}": f"/{path}" for n, path in ((1, "6f1c/a"), (2, "b07e/b"), (3, "9d42/c"))}
ROLES = {"site": "0003", "der": "0049"}
UNITS = {"active-power": (38, 0), "reactive-power": (63, 0), "stored-energy": (72, 0), "voltage": (29, 129)}
"""The unit of measure, and the phase: of voltages the first is looked at."""
INIT_S = 900
"""So long the first conditions may take."""
LONGEST_S = 6500
AFTER_STEPS_S = 1200
STEPS_BY_NAME = {"hours": 3600, "minutes": 60, "minute": 60, "seconds": 1, "second": 1}


class CannotBePlayed(Exception):
    """The procedure asks for something that this site or this server does not do; the text says what."""


@dataclass
class Player:
    """One procedure on one bench. `play` returns what failed."""

    bench: Bench
    procedure: dict[str, Any]
    enabled: dict[str, float] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    """Steps that are over."""
    finished: bool = False
    begun_s: float = 0.0
    log: list[str] = field(default_factory=list)
    script: tuple[tuple[float, Callable[[Bench], None]], ...] = ()
    """What a person does at the site, and how many seconds after the first step."""
    upon: dict[str, Callable[[Bench], None]] = field(default_factory=dict)
    """What a person does when a step begins that asks for it."""
    waits: dict[str, float] = field(default_factory=dict)
    """For how many seconds a person looks on before they go on from a step."""
    longest_s: float = LONGEST_S
    without: list[str] = field(default_factory=list)
    """What could not be checked, because the orchestrator does not know it."""

    @property
    def utility(self) -> Utility:
        return self.bench.utility

    def play(self) -> list[str]:
        conditions = self.procedure.get("Preconditions", {})
        self._act(conditions.get("init_actions", []))
        if not conditions.get("immediate_start"):
            checks = conditions.get("checks", [])
            self.bench.run(INIT_S, until=lambda: self.bench.now_s > 90 and not self._failures(checks))
            failed = self._failures(checks)
            if failed:
                return [f"the conditions are not met: {'; '.join(failed)}"]
        self._act(conditions.get("actions", []))
        self.begun_s = self.bench.now_s
        self.utility.before, self.utility.after = self._before, self._after
        first = next(iter(self.procedure["Steps"]))
        self.enabled[first] = self.bench.now_s
        self.bench.run(self.longest_s, until=self._is_over)
        criteria = self.procedure.get("Criteria", {}).get("checks", [])
        if not self.finished:  # whoever plays it ends it, once all has come that should
            self.bench.run(AFTER_STEPS_S, until=lambda: not self._failures(criteria))
        return self._failures(criteria)

    def _is_over(self) -> bool:
        while self.script and self.bench.now_s - self.begun_s >= self.script[0][0]:
            (_, act), *rest = self.script
            act(self.bench)
            self.script = tuple(rest)
        for name in [each for each in self.upon if each in self.enabled]:
            self.upon.pop(name)(self.bench)
        for name, since_s in list(self.enabled.items()):
            event = self.procedure["Steps"][name]["event"]
            lasts_s = event["parameters"].get("duration_seconds", self.waits.get(name, 0.0))
            is_due = event["type"] in ("wait", "proceed") and self.bench.now_s - since_s >= lasts_s
            if is_due and not self._failures(event.get("checks") or []):
                self._done(name)
        return self.finished or not self.enabled

    def _before(self, asked: Asked) -> None:
        self._request(asked, served=False)

    def _after(self, asked: Asked) -> None:
        self._request(asked, served=True)

    def _request(self, asked: Asked, *, served: bool) -> None:
        for name in list(self.enabled):
            step = self.procedure["Steps"][name]
            event, parameters = step["event"], step["event"].get("parameters", {})
            if (
                event["type"] != f"{asked.method}-request-received"
                or bool(parameters.get("serve_request_first")) != served
            ):
                continue
            endpoint = RANDOM.get(parameters["endpoint"], parameters["endpoint"])
            if fnmatchcase(asked.path, endpoint) and not self._failures(event.get("checks") or []):
                self._done(name)

    def _done(self, name: str) -> None:
        self.log.append(f"{self.bench.now_s - self.begun_s:.0f} s: {name}")
        self._act(self.procedure["Steps"][name].get("actions", []))

    # What steps do

    def _act(self, actions: list[dict[str, Any]]) -> None:
        if not self.utility.programs:  # some create an event first, and then the program that it belongs to
            actions = sorted(actions, key=lambda each: each["type"] != "create-der-program")
        for action in actions:
            method = getattr(self, "_do_" + action["type"].replace("-", "_"), None)
            if method is None:
                raise CannotBePlayed(action["type"])
            method({key: self._value(value) for key, value in (action.get("parameters") or {}).items()})

    def _do_set_comms_rate(self, values: dict[str, Any]) -> None:
        for key, value in values.items():
            self.utility.rates[RATES[key]] = value

    def _do_create_der_program(self, values: dict[str, Any]) -> None:
        if "end_device_indexes" in values:
            raise CannotBePlayed("several end devices of one client")
        self.utility.add_program(values["primacy"], values.get("fsa_id", 1)).tag = values.get("tag", "")

    def _do_set_default_der_control(self, values: dict[str, Any]) -> None:
        program = self._program(values.pop("derp_id", None), None)
        if values.pop("cancelled", False):
            program.default = None
        else:
            program.default = (program.default or {}) | values

    def _do_create_der_control(self, values: dict[str, Any]) -> None:
        if "end_device_indexes" in values:
            raise CannotBePlayed("several end devices of one client")
        program = self._program_of(values)
        names = {
            "ramp_time_seconds": "ramp_s",
            "randomizeStart_seconds": "randomize_start_s",
            "pow_10_multipliers": "exponent",
        }
        more = {names.get(key, key): value for key, value in values.items()}
        start, duration = more.pop("start"), more.pop("duration_seconds")
        if not more.keys() & {key for key in more if key.startswith("opMod")}:
            raise CannotBePlayed("an event without a field")
        self.utility.add_event(program, duration, start, **more)

    def _do_cancel_active_der_controls(self, _values: dict[str, Any]) -> None:
        for program in self.utility.programs:
            for event in program.events:
                if event.start_s + event.duration_s > self.utility.clock():
                    event.cancelled = True

    def _do_communications_status(self, values: dict[str, Any]) -> None:
        self.utility.online = values["enabled"]

    def _do_edev_registration_links(self, values: dict[str, Any]) -> None:
        self.utility.has_registration = values["enabled"]

    def _do_register_end_device(self, values: dict[str, Any]) -> None:
        self.utility.knows_device = True
        pin = values.get("registration_pin")
        if pin is not None:
            self.utility.pin = pin * 10 + sum(map(int, str(pin))) % 10

    def _do_remove_function_set_assignment(self, values: dict[str, Any]) -> None:
        for program in self.utility.programs:
            if program.fsa == values["fsa_id"]:
                program.fsa = REMOVED

    def _do_force_response_status(self, values: dict[str, Any]) -> None:
        until_s = self.utility.clock() + values.get("duration_seconds", 1e9)
        self.utility.forced[values["endpoint"]] = (values["status"], values.get("retry_after_seconds"), until_s)

    def _do_enable_steps(self, values: dict[str, Any]) -> None:
        for name in values["steps"]:
            self.enabled[name] = self.bench.now_s

    def _do_remove_steps(self, values: dict[str, Any]) -> None:
        for name in values["steps"]:
            self.enabled.pop(name, None)
            self.removed.add(name)

    def _do_create_wellknown_route(self, values: dict[str, Any]) -> None:
        self.utility.well_known[values["version"]] = [RANDOM.get(each, each) for each in values["dcap_paths"]]

    def _do_add_proxy_route(self, values: dict[str, Any]) -> None:
        self.utility.aliases[RANDOM.get(values["route"], values["route"])] = values["proxy_to"]

    def _do_finish_test(self, values: dict[str, Any]) -> None:
        self.finished = True
        if values.get("fail_message"):
            self.log.append(values["fail_message"])

    def _program(self, number: int | None, tag: str | None) -> ServedProgram:
        found = [each for each in self.utility.programs if tag in (None, each.tag) and number in (None, each.number)]
        return found[-1] if number is None else found[0]

    def _program_of(self, values: dict[str, Any]) -> ServedProgram:
        fsa, primacy, tag = values.pop("fsa_id", None), values.pop("primacy", None), values.pop("der_program_tag", None)
        return next(
            each
            for each in self.utility.programs
            if fsa in (None, each.fsa) and primacy in (None, each.primacy) and tag in (None, each.tag)
        )

    def _value(self, value: Any) -> Any:
        """A value, or what an expression such as `$(now + '2 minutes')` comes to."""
        expression = re.fullmatch(r"\$\((.+)\)", value) if isinstance(value, str) else None
        return value if expression is None else self._expression(expression[1])

    def _expression(self, source: str, this: float | None = None) -> Any:
        def seconds(match: re.Match[str]) -> str:
            return str(float(match[1]) * STEPS_BY_NAME[match[2]])

        names = {"now": self.utility.clock(), "this": this, "valid_nmi_1": NMI} | self._settings()
        plain = re.sub(r"'([0-9.]+) (\w+)'", seconds, source)
        unknown = set(re.findall(r"[A-Za-z_]\w*", plain)) - names.keys()
        if unknown:
            raise CannotBePlayed(f"the value of {', '.join(sorted(unknown))}")
        return eval(plain, {"__builtins__": {}}, names)

    def _settings(self) -> dict[str, Any]:
        found: dict[str, Any] = {"maxImportW": RATED_WATTS, "maxExportW": RATED_WATTS, "setMaxW": RATED_WATTS}
        for path in ("/edev/1/der/1/dercap", "/edev/1/der/1/derg"):
            found |= numbers_of(self.utility.put.get(path))
        found["maxImportW"] = found.get("setMaxChargeRateW", found["setMaxW"])
        found["maxExportW"] = found.get("setMaxDischargeRateW", found["setMaxW"])
        return found

    # What is checked

    def _failures(self, checks: list[dict[str, Any]]) -> list[str]:
        found: list[str] = []
        for check in checks:
            method = getattr(self, "_check_" + check["type"].replace("-", "_"), None)
            parameters = check.get("parameters") or {}
            if check["type"].startswith("readings-"):
                why = self._readings(check["type"].removeprefix("readings-"), parameters)
            elif method is None:
                raise CannotBePlayed(f"the check {check['type']}")
            else:
                why = method(parameters)
            if why:
                found.append(f"{check['type']}: {why}")
        return found

    def _check_all_steps_complete(self, values: dict[str, Any]) -> str:
        ignored = values.get("ignored_steps", [])
        missing = [each for each in self.enabled if each not in ignored]
        missing += [each for each in self.procedure["Steps"] if each not in {*self.removed, *missing, *ignored}]
        return f"not reached: {', '.join(missing)}" if missing else ""

    def _check_end_device_contents(self, values: dict[str, Any]) -> str:
        if values.get("has_connection_point_id") and NMI.encode() not in self.utility.put.get("/edev/1/cp", b""):
            return "no connection point"
        return "" if self.utility.knows_device and self.utility.asked else "not registered"

    def _check_der_settings_contents(self, values: dict[str, Any]) -> str:
        return self._contents("/edev/1/der/1/derg", values)

    def _check_der_capability_contents(self, values: dict[str, Any]) -> str:
        return self._contents("/edev/1/der/1/dercap", values)

    def _check_der_status_contents(self, values: dict[str, Any]) -> str:
        document = self.utility.put.get("/edev/1/der/1/ders")
        if document is None:
            return "never put"
        root = ET.fromstring(document)
        status = {
            name: text(root.find(f"{{{SEP}}}{name}"), "value") for name in ("genConnectStatus", "operationalModeStatus")
        }
        for key, wanted in values.items():
            if key.startswith("genConnectStatus_bit"):
                is_set = bool(int(status["genConnectStatus"], 16) >> int(key[-1]) & 1)
                if is_set != wanted:
                    return f"{key} is {is_set}"
            elif key == "alarmStatus":
                if int(text(root, key), 16) != wanted:
                    return f"{key} is {text(root, key)}"
            elif int(status[key], 16) != wanted:
                return f"{key} is {status[key]}"
        return ""

    def _contents(self, path: str, values: dict[str, Any]) -> str:
        document = self.utility.put.get(path)
        if document is None:
            return "never put"
        found = numbers_of(document)
        for key, wanted in values.items():
            name, _, kind = key.partition("_")
            if name not in found:
                return f"no {name}"
            bits = int(wanted, 16) if kind else 0
            if (kind == "set" and int(found[name]) & bits != bits) or (kind == "unset" and int(found[name]) & bits):
                return f"{name} is {found[name]}"
            if isinstance(wanted, int) and not isinstance(wanted, bool) and not kind and found[name] != wanted:
                return f"{name} is {found[name]}"
            if isinstance(wanted, str) and not kind:
                expression = re.fullmatch(r"\$\((.+)\)", wanted)
                if expression and not self._expression(expression[1], this=found[name]):
                    return f"{name} is {found[name]}, and not {expression[1]}"
        return ""

    def _check_response_contents(self, values: dict[str, Any]) -> str:
        tags = {event.mrid: event.tag for program in self.utility.programs for event in program.events}
        found = [(tags.get(mrid, ""), status) for mrid, status in self.utility.responses()]
        tag, status = values.get("subject_tag"), values.get("status")
        if values.get("latest"):
            found = found[-1:]
        if values.get("all"):
            missing = [event for event in tags if (event, status) not in self.utility.responses()]
            return f"{len(missing)} events without {status}" if missing else ""
        exists = any(tag in (None, each) and status in (None, code) for each, code in found)
        return "" if exists == values.get("exists", True) else f"{tag} with {status}: {found[-6:]}"

    def _check_all_polls_at_correct_time(self, values: dict[str, Any]) -> str:
        for endpoint in values["endpoints"]:
            times = [
                each.at_s
                for each in self.utility.asked
                if each.path == endpoint and each.method == values["request_type_str"]
            ]
            gaps = [later - former for former, later in pairwise(times) if later - former > 5]
            late = [
                gap
                for gap in gaps
                if abs(gap - values["poll_interval_seconds"]) > 0.1 * values["poll_interval_seconds"] + 2
            ]
            if not gaps or late:
                return f"{endpoint} was asked for after {late or times} s"
        return ""

    def _check_resource_requests(self, values: dict[str, Any]) -> str:
        shapes = {
            "DERControlList": "/edev/1/derp/*/derc",
            "DERControl": "/edev/1/derp/*/derc/*",
            "DERProgramList": "/edev/1/fsa/*/derp",
        }
        unknown = set(values["resources"]) - shapes.keys()
        if unknown:
            raise CannotBePlayed(f"requests of {', '.join(unknown)}")
        since_s = self.utility.clock() - (self.bench.now_s - self.begun_s)
        asked = [each for each in self.utility.asked if each.at_s >= since_s]
        times = [a for a in asked if any(fnmatchcase(a.path, shapes[each]) for each in values["resources"])]
        if not values.get("minimum_count", 0) <= len(times) <= values.get("maximum_count", 1e9):
            return f"{len(times)} requests"
        return ""

    def _readings(self, what: str, values: dict[str, Any]) -> str:
        place, _, quantity = what.partition("-")
        if what == "voltage":  # of the site or of the DER
            place, quantity = "site", what
        if quantity not in UNITS or place not in ROLES:
            self.without.append(what.replace("-", " "))
            return ""
        found = self.utility.readings(ROLES[place], *UNITS[quantity])
        if len(found) < values.get("minimum_count", 0):
            return f"{len(found)} readings"
        if values.get("latest_reading_only"):
            found = found[-1:]
        least, most = self._value(values.get("minimum_level")), self._value(values.get("maximum_level"))
        wrong = [each for each in found if (least is not None and each < least) or (most is not None and each > most)]
        return f"{wrong} W is beyond {least} to {most}" if wrong or not found else ""


def numbers_of(document: bytes | None) -> dict[str, float]:
    """The values of a DERSettings or DERCapability; powers with their multiplier."""
    found: dict[str, float] = {}
    for each in ET.fromstring(document) if document else ():
        name = each.tag.rpartition("}")[2]
        if name.lower().endswith(("supported", "enabled")):
            found[name] = int(each.text or "0", 16)
        elif len(each):
            digits = "displacement" if "PF" in name else "value"
            found[name] = int(text(each, digits)) * 10.0 ** int(text(each, "multiplier"))
        else:
            found[name] = int(each.text or "0")
    return found


def load(folder: Path, name: str) -> dict[str, Any]:
    """One procedure as it is written."""
    with (folder / f"{name}.yaml").open() as file:
        loaded: dict[str, Any] = yaml.safe_load(file)
    return loaded


assert RESPONSES
