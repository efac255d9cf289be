"""Who asks: by the token for reading, by the one for changes, or by a session that a password has begun."""

from __future__ import annotations

import hmac
import secrets
import threading
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from orchestrator.config.sections import SiteConfig
from orchestrator.telemetry.api.http_guard import Guesses, TokenBucket

SESSION_S: Final = 8 * 3600.0
MOST_SESSIONS: Final = 32
PASSWORD_BURST, PASSWORDS_PER_S = 5.0, 0.1
"""Wrong passwords of one address: people choose them, so they are guessed sooner than a token."""
ALL_BURST, ALL_PER_S = 30.0, 0.5
"""Wrong passwords of all addresses together, for one who has many."""


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who is known, as an event names them. `may_change`: not only look."""

    name: str
    may_change: bool


class Keys:
    """What opens the API. Any thread may call it."""

    def __init__(self, *, read: str | None = None, change: str | None = None, password: str | None = None) -> None:
        """`read` None: anybody may read. `change` and `password` None: nobody may change anything by them."""
        self.read, self._change, self._password = read, change, password
        self._lock = threading.Lock()
        self._sessions: dict[str, float] = {}
        self._guesses = Guesses(PASSWORD_BURST, PASSWORDS_PER_S)
        self._all: TokenBucket | None = None

    @classmethod
    def of(cls, config: SiteConfig) -> Keys:
        """Those of a site.yaml."""
        server, page = config.server, config.page
        return cls(
            read=_text(server.token if server else None),
            change=_text(page.change_token) if page.enabled else None,
            password=_text(page.change_password) if page.enabled else None,
        )

    @property
    def can_be_changed(self) -> bool:
        """Whether anybody may change something."""
        return self._change is not None or self._password is not None

    @property
    def has_password(self) -> bool:
        """Whether one can sign in with a password."""
        return self._password is not None

    def who(self, authorization: str | None, now_s: float) -> Who | None:
        """Whose bearer token that is; None: nobody's."""
        kind, _, given = (authorization or "").partition(" ")
        given = given.strip()
        if kind.lower() != "bearer" or not given:
            return None
        if _same(given, self._change):
            return Who("the change token", may_change=True)
        if self._is_session(given, now_s):
            return Who("the password", may_change=True)
        return Who("the token", may_change=False) if _same(given, self.read) else None

    def are_passwords_spent(self, client: str, now_s: float) -> bool:
        """Whether `client` has to wait before it may try the next password, right or wrong."""
        with self._lock:
            all_spent = self._all is not None and not self._all.has_one(now_s)
            return all_spent or self._guesses.are_spent(client, now_s)

    def sign_in(self, password: str, client: str, now_s: float) -> str | None:
        """The token of a new session; None where the password is wrong."""
        if not _same(password, self._password):
            with self._lock:
                self._guesses.count(client, now_s)
                bucket = self._all or TokenBucket.full(ALL_BURST, ALL_PER_S, now_s)
                self._all = bucket.take(now_s)[1]
            return None
        token = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._sessions) >= MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[token] = now_s + SESSION_S
        return token

    def _is_session(self, given: str, now_s: float) -> bool:
        with self._lock:
            sessions = dict(self._sessions)
        found = [end_s for token, end_s in sessions.items() if _same(given, token)]
        return any(now_s < end_s for end_s in found)


def _text(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def _same(given: str, wanted: str | None) -> bool:
    """Compared in constant time, so that the answer's delay does not give the token away."""
    return wanted is not None and hmac.compare_digest(given.encode(), wanted.encode())
