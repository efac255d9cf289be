"""Who may read what is served over HTTP: decided from the head of a request, before anything is made for it."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

METHODS: Final = ("GET", "HEAD")
LONGEST_HOST: Final = 260


@dataclass(frozen=True, slots=True)
class Rules:
    """What is asked of a request. `hosts` are names it may address; addresses always may. `token` None: anybody."""

    hosts: frozenset[str]
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What a request says of itself; what it does not say is None."""

    method: str
    path: str
    host: str | None = None
    authorization: str | None = None
    body_bytes: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer in place of the page."""

    status: str
    reason: str


def refusal(head: Head, rules: Rules, *, open_paths: Collection[str] = ()) -> Refusal | None:
    """Why a request is refused; None where it may pass. `open_paths` need no token.

    A browser sends the name that it was given as the Host. A hostile page that has its own name lead to this machine
    (DNS rebinding) is thereby found out.
    """
    if head.method not in METHODS:
        return Refusal("405 Method Not Allowed", "only GET and HEAD")
    if head.body_bytes not in (None, "", "0"):
        return Refusal("413 Content Too Large", "a request has no body here")
    if not may_be_addressed_as(head.host, rules.hosts):
        return Refusal("421 Misdirected Request", "this name is not in metrics.allowed_hosts")
    if rules.token is not None and head.path not in open_paths and not _has_token(head.authorization, rules.token):
        return Refusal("401 Unauthorized", "a bearer token is needed")
    return None


def may_see_details(head: Head, rules: Rules, client: str | None) -> bool:
    """Whether more than yes or no is said of the plant's health: on this machine, or with the token.

    `client`: the address that the request comes from, None where that is not known.
    """
    if rules.token is not None and _has_token(head.authorization, rules.token):
        return True
    try:
        return client is not None and ip_address(client.removeprefix("::ffff:")).is_loopback
    except ValueError:
        return False


def may_be_addressed_as(host: str | None, names: Collection[str]) -> bool:
    """Whether the Host header is an IP address, `localhost`, or one of `names` (lower case), with or without port."""
    if host is None or len(host) > LONGEST_HOST:
        return False
    name = _without_port(host).lower().removesuffix(".")
    if name == "localhost" or name in names:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _has_token(authorization: str | None, token: str) -> bool:
    """Compared in constant time, so that the answer's delay does not give the token away."""
    kind, _, given = (authorization or "").partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """So many requests may come at once, and so many a second on end."""

    burst: float
    per_s: float
    left: float
    at_s: float

    @classmethod
    def full(cls, burst: float, per_s: float, now_s: float) -> TokenBucket:
        """One that nothing was taken from yet."""
        return cls(burst, per_s, burst, now_s)

    def take(self, now_s: float) -> tuple[bool, TokenBucket]:
        """Whether one more request may pass at `now_s` (monotonic), and what is left."""
        left = min(self.burst, self.left + max(0.0, now_s - self.at_s) * self.per_s)
        if left < 1.0:
            return False, TokenBucket(self.burst, self.per_s, left, now_s)
        return True, TokenBucket(self.burst, self.per_s, left - 1.0, now_s)

    def has_one(self, now_s: float) -> bool:
        """Whether `take` would pass."""
        return self.take(now_s)[0]


class Guesses:
    """Wrong tokens by client: ten at once, then one a second. The others may go on. For one thread at a time."""

    MOST_CLIENTS: Final = 256
    BURST: Final = 10.0
    PER_S: Final = 1.0

    def __init__(self) -> None:
        self._clients: dict[str, TokenBucket] = {}

    def count(self, client: str, now_s: float) -> None:
        """`client` came with a wrong token, or with none."""
        bucket = self._clients.pop(client, None) or TokenBucket.full(self.BURST, self.PER_S, now_s)
        self._clients[client] = bucket.take(now_s)[1]
        while len(self._clients) > self.MOST_CLIENTS:
            del self._clients[next(iter(self._clients))]

    def are_spent(self, client: str, now_s: float) -> bool:
        """Whether `client` has to wait."""
        bucket = self._clients.get(client)
        return bucket is not None and not bucket.has_one(now_s)
