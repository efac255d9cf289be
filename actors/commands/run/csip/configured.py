"""The utility server of site.yaml, if there is one: what speaks to it is loaded only then."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from actors.files.setpoint_store import SetpointStore
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.errors import UsageError
from orchestrator.setpoints.merge import Setpoint

Tell = Callable[[Any], None]
FILE_NAME: Final = "csip_aus.json"
INSTALL: Final = (
    "setpoints.csip_aus: the package cryptography is not installed; install it with: "
    "pip install 'solar-site-orchestrator[csip-aus]'"
)


def require_csip() -> None:
    """Raise UsageError where the extra is not installed."""
    if importlib.util.find_spec("cryptography") is None:
        raise UsageError(INSTALL)


def require_usable(config: SiteConfig) -> None:
    """Raise UsageError where the certificates of `setpoints.csip_aus` cannot be used today."""
    section = config.setpoints.csip_aus
    if section is None:
        return
    require_csip()
    from actors.commands.run.csip.certificates import check_certificate, tls_context  # noqa: PLC0415 - only with it

    check_certificate(section, datetime.now(UTC))
    tls_context(section)


class UtilityServer:
    """A listener of the site. For the main thread, but for `tell`."""

    def __init__(self) -> None:
        self._utility: Any = None
        self._tell: Tell | None = None
        self._store: SetpointStore | None = None

    def tell(self, message: Any) -> None:
        """A cycle, which the server is shown; anything else passes by."""
        utility = self._utility
        if utility is not None and isinstance(message, CycleResult):
            utility.show(message)

    def prepare(self, config: SiteConfig) -> Mapping[str, Setpoint]:
        """What the server of `config` asked for before a restart, by its source: for a plant that starts.

        Raises UsageError.
        """
        section = config.setpoints.csip_aus
        if section is None:
            return {}
        require_csip()
        from actors.commands.run.csip.utility import Utility  # noqa: PLC0415 - a site without it never loads it

        if self._store is None:
            self._store = SetpointStore(Path(config.control.state_dir), FILE_NAME)
        self._utility = Utility(section, self._store)
        asked = self._utility.asked
        return {} if asked is None else {section.name: asked}

    def begin(self, config: SiteConfig, tell: Tell) -> None:
        """Tell what the server of `config` asks for from now on. Raises UsageError."""
        self._tell = tell
        if self._utility is None:
            self.prepare(config)
        if self._utility is not None:
            self._utility.start(tell)

    def configure(self, config: SiteConfig) -> None:
        """Speak to the server of `config` from now on; one whose section is the same goes on. Raises UsageError."""
        section, former = config.setpoints.csip_aus, self._utility
        if self._tell is None or (former.section if former is not None else None) == section:
            return
        self.stop()
        self.begin(config, self._tell)

    def stop(self) -> None:
        """Speak no more."""
        if self._utility is not None:
            self._utility.stop()
        self._utility = None

    def close(self) -> None:
        """The same for good: what waits to be kept is written."""
        self.stop()
        if self._store is not None:
            self._store.close()


@contextmanager
def heeding(config: SiteConfig, server: UtilityServer, tell: Tell) -> Iterator[UtilityServer]:
    """What the server of `config` asks for, until the end. Raises UsageError."""
    server.begin(config, tell)
    try:
        yield server
    finally:
        server.close()
