"""The connection to a utility server: one request after the other over TLS, kept open between them."""

from __future__ import annotations

import http.client
import ssl
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from orchestrator.setpoints.csip.documents import LARGEST_BYTES
from orchestrator.setpoints.csip.walk import WELL_KNOWN, Answer, Request, ServerTrouble

SEP_XML: Final = "application/sep+xml"
JSON: Final = "application/json"
OURS_REFUSED: Final = ("UNKNOWN_CA", "CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "CERTIFICATE_EXPIRED", "ACCESS_DENIED")
"""What TLS says when the server does not like our certificate."""


class Connection:
    """To one server. `server_name` is what its certificate must be for, where that is not the host of the URL."""

    def __init__(self, server: str, context: ssl.SSLContext, timeout_s: float, server_name: str | None = None) -> None:
        parts = urlsplit(server)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._context = context
        self._timeout_s = timeout_s
        self._server_name = server_name
        self._http: http.client.HTTPSConnection | None = None

    def ask(self, request: Request) -> Answer:
        """Perform one request. A connection that the server has closed is opened anew. Raises ServerTrouble."""
        was_open = self._http is not None
        try:
            return self._ask(request)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            if not was_open:
                raise ServerTrouble(f"{self._where} closes the connection at once") from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ServerTrouble(self._why(error)) from error
        try:
            return self._ask(request)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ServerTrouble(self._why(error)) from error

    def close(self) -> None:
        """End the connection."""
        if self._http is not None:
            with suppress(OSError):
                self._http.close()
        self._http = None

    def _ask(self, request: Request) -> Answer:
        if self._http is None:
            self._http = _Named(self._host, self._port, self._timeout_s, self._context, self._server_name)
        accepted = JSON if request.path == WELL_KNOWN else SEP_XML
        headers = {"Accept": accepted} | ({"Content-Type": SEP_XML} if request.body else {})
        self._http.request(request.method, request.path, body=request.body or None, headers=headers)
        reply = self._http.getresponse()
        body = reply.read(LARGEST_BYTES + 1)
        if not reply.isclosed() or reply.will_close:
            self.close()
        return Answer(reply.status, body, reply.getheader("Location"), _seconds(reply.getheader("Retry-After")))

    @property
    def _where(self) -> str:
        return f"{self._host}:{self._port}"

    def _why(self, error: Exception) -> str:
        """What went wrong, for people."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"the certificate of {self._where} is refused: {error.verify_message}"
        if isinstance(error, ssl.SSLError):
            if any(word in str(error.reason) for word in OURS_REFUSED):
                words = str(error.reason).lower().replace("_", " ")
                return f"{self._where} refuses the certificate of this site ({words})"
            return f"TLS with {self._where} fails: {error.reason or error}"
        if isinstance(error, TimeoutError):
            return f"{self._where} does not answer within {self._timeout_s:g} s"
        return f"{self._where} cannot be reached ({getattr(error, 'strerror', None) or error})"


class _Named(http.client.HTTPSConnection):
    """A connection whose certificate must be for `name` (None: for the host)."""

    def __init__(self, host: str, port: int, timeout_s: float, context: ssl.SSLContext, name: str | None) -> None:
        super().__init__(host, port, timeout=timeout_s, context=context)
        self._tls = context
        self._name = name or host

    def connect(self) -> None:
        """Connect, and shake hands in its name."""
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)


def _seconds(text: str | None) -> float | None:
    """A pause in seconds; the other way to write one, a date, counts as not said."""
    return float(text) if text is not None and text.isdigit() and len(text) < 7 else None
