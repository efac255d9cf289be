"""The comments of a site.yaml that `orchestrator init` makes, in the language of whoever is asked.

A comment is a line, or stands behind a key; its keys and values are the same in every language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["en", "de"]

_ENGLISH: Final = {
    "made": "Made by `orchestrator init` on {day}. This file describes one site. Whatever stands behind a # is a "
    "comment.",
    "changed": "After a change: `orchestrator check FILE` finds mistakes, `orchestrator reload FILE` hands it to the "
    "one that runs.",
    "keys": "Every key is explained in docs/configuration.md.",
    "timezone": "for reports and days",
    "meter_missing": "THE METER IS MISSING. Without one nothing can be controlled. 192.0.2.1 only stands for its "
    "address: write the real",
    "meter_which": "one, and its driver. docs/meters.md lists them, and says which meter to buy and where it goes.",
    "meter": "The meter at the grid connection.",
    "meter_untried": "not yet tried on hardware; what must be set in it: docs/meters.md, {driver}",
    "sign_auto": "import_positive until the meter proves otherwise; better: write it",
    "sign_import_positive": "it shows a positive power while the site draws from the grid",
    "sign_export_positive": "it shows a positive power while the site feeds into the grid",
    "inverters": "The inverters. A line `control: false` leaves one alone: it is read, and never written to.",
    "inverter_untried": "not yet tried on hardware; what the installer must switch on: docs/makes/{driver}.md",
    "no_serial": "it says no serial number: make sure that it is not one of the others at another unit",
    "serial_counts": "another device at this address is never written to",
    "rating": "its AC rating, which it does not say",
    "no_rating": "it does not say its AC rating; write it here: ac_max_watts: 5000",
    "capacity": "which it does not say",
    "no_capacity": "it does not say the capacity of its battery; write it here: battery: {{capacity_wh: 10000}}",
    "enabled": "false: shadow mode, nothing is written to a device",
    "battery_power_flow": "true commands the batteries too",
    "state_dir": "what must outlive a restart is kept here",
    "limits": "Limits that always hold. A setpoint can make them stricter, and never looser.",
    "export": "most that may be fed into the grid, in W",
    "import": "most that may be drawn from the grid, in W",
    "soc_min": "batteries are not discharged below, in percent",
    "no_limits": "none; such as {{export_limit_watts: 5000}}",
    "no_limit": "{key}: not limited; {meaning}",
    "page": "Where its page is, which shows what it does and why, and its metrics for Prometheus.",
    "kind_inverter": "inverter",
    "kind_hybrid": "hybrid",
    "kind_meter": "meter",
    "serial": "serial {serial}",
}
_GERMAN: Final = {
    "made": "Von `orchestrator init` am {day} erstellt. Diese Datei beschreibt eine Anlage. Was hinter einem # steht, "
    "ist Kommentar.",
    "changed": "Nach einer Änderung: `orchestrator check DATEI` findet Fehler, `orchestrator reload DATEI` übergibt "
    "sie der laufenden Anlage.",
    "keys": "Jeder Schlüssel ist in docs/configuration.md erklärt.",
    "timezone": "für Berichte und Tage",
    "meter_missing": "DER ZÄHLER FEHLT. Ohne Zähler kann nichts gesteuert werden. 192.0.2.1 steht nur für seine "
    "Adresse: die richtige",
    "meter_which": "eintragen, und seinen Treiber. docs/meters.md nennt alle, und welcher wohin gehört.",
    "meter": "Der Zähler am Netzanschlusspunkt.",
    "meter_untried": "noch nicht am Gerät erprobt; was in ihm einzustellen ist: docs/meters.md, {driver}",
    "sign_auto": "import_positive, bis der Zähler das Gegenteil beweist; besser: eintragen",
    "sign_import_positive": "er zeigt eine positive Leistung, während die Anlage aus dem Netz bezieht",
    "sign_export_positive": "er zeigt eine positive Leistung, während die Anlage ins Netz einspeist",
    "inverters": "Die Wechselrichter. Eine Zeile `control: false` lässt einen in Ruhe: er wird gelesen und nie "
    "beschrieben.",
    "inverter_untried": "noch nicht am Gerät erprobt; was der Installateur einschalten muss: docs/makes/{driver}.md",
    "no_serial": "er nennt keine Seriennummer: sicherstellen, dass er nicht einer der anderen unter anderer unit ist",
    "serial_counts": "ein anderes Gerät an dieser Adresse wird nie beschrieben",
    "rating": "seine AC-Nennleistung, die er nicht nennt",
    "no_rating": "er nennt seine AC-Nennleistung nicht; hier eintragen: ac_max_watts: 5000",
    "capacity": "die er nicht nennt",
    "no_capacity": "er nennt die Kapazität seiner Batterie nicht; hier eintragen: battery: {{capacity_wh: 10000}}",
    "enabled": "false: Probebetrieb, an kein Gerät wird etwas gesendet",
    "battery_power_flow": "true steuert auch die Batterien",
    "state_dir": "hier liegt, was einen Neustart überdauern muss",
    "limits": "Grenzen, die immer gelten. Eine Vorgabe kann sie strenger machen, nie lockerer.",
    "export": "so viel darf höchstens eingespeist werden, in W",
    "import": "so viel darf höchstens bezogen werden, in W",
    "soc_min": "darunter werden Batterien nicht entladen, in Prozent",
    "no_limits": "keine; etwa {{export_limit_watts: 5000}}",
    "no_limit": "{key}: nicht begrenzt; {meaning}",
    "page": "Wo die Seite der Anlage ist, die zeigt, was sie tut und warum, und ihre Metriken für Prometheus.",
    "kind_inverter": "Wechselrichter",
    "kind_hybrid": "Hybrid-Wechselrichter",
    "kind_meter": "Zähler",
    "serial": "Seriennummer {serial}",
}
COMMENTS: Final[Mapping[Language, Mapping[str, str]]] = {"en": _ENGLISH, "de": _GERMAN}
"""By language, and by what each is about."""


class Commented:
    """Says comments in one language."""

    def __init__(self, language: Language) -> None:
        self._words = COMMENTS[language]

    def say(self, about: str, **facts: str) -> str:
        """The words alone."""
        return self._words[about].format_map(facts)

    def line(self, about: str, indent: str = "", **facts: str) -> str:
        """A line that is a comment."""
        return f"{indent}# {self.say(about, **facts)}\n"

    def behind(self, text: str, about: str) -> str:
        """A line with a comment behind it."""
        return f"{text:<42}  # {self.say(about)}\n"
