"""Who may read what is served over HTTP: decided from the head of a request, before anything is made for it."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from orchestrator.reason import Reason, because
from orchestrator.reason.refusals import say_refusal

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
    origin: str | None = None
    fetch_site: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer in place of the page."""

    status: str
    why: Reason

    @property
    def reason(self) -> str:
        """Why, in plain words."""
        return say_refusal(self.why)


def refusal(
    head: Head,
    rules: Rules,
    *,
    open_paths: Collection[str] = (),
    methods: Collection[str] = METHODS,
    most_body_bytes: int = 0,
    is_known: bool = False,
) -> Refusal | None:
    """Why a request is refused; None where it may pass. `open_paths` need no token, nor does who `is_known` by another.

    A browser sends the name that it was given as the Host. A hostile page that has its own name lead to this machine
    (DNS rebinding) is thereby found out.
    """
    if head.method not in methods:
        return Refusal("405 Method Not Allowed", because("only_methods", methods=" and ".join(methods)))
    if head.body_bytes not in (None, "", "0") and not is_short(head.body_bytes, most_body_bytes):
        limit = because("body_too_long", bytes=most_body_bytes) if most_body_bytes else because("no_body_here")
        return Refusal("413 Content Too Large", limit)
    if not may_be_addressed_as(head.host, rules.hosts):
        return Refusal("421 Misdirected Request", because("name_not_allowed"))
    needs_token = rules.token is not None and head.path not in open_paths
    if needs_token and not (is_known or _has_token(head.authorization, rules.token or "")):
        return Refusal("401 Unauthorized", because("token_needed"))
    return None


def is_short(body_bytes: str | None, most: int) -> bool:
    """Whether a body of this length, as its head says, is no longer than `most`."""
    is_number = body_bytes is not None and body_bytes.isascii() and body_bytes.isdigit() and len(body_bytes) <= 20
    return is_number and int(body_bytes or 0) <= most


def is_of_another_site(head: Head) -> bool:
    """Whether a browser sends the request for a page that is not ours.

    Browsers say so in one header or the other; programs send none of them.
    """
    if head.fetch_site not in (None, "same-origin", "none"):
        return True
    if head.origin is None:
        return False
    _, _, place = head.origin.partition("://")
    return not place or head.host is None or place.lower() != head.host.lower()


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
    """Wrong tokens by client: `burst` at once, then `per_s` a second. The others may go on. For one thread at once."""

    MOST_CLIENTS: Final = 256

    def __init__(self, burst: float = 10.0, per_s: float = 1.0) -> None:
        self._burst, self._per_s = burst, per_s
        self._clients: dict[str, TokenBucket] = {}

    def count(self, client: str, now_s: float) -> None:
        """`client` came with a wrong token."""
        bucket = self._clients.pop(client, None) or TokenBucket.full(self._burst, self._per_s, now_s)
        self._clients[client] = bucket.take(now_s)[1]
        while len(self._clients) > self.MOST_CLIENTS:
            del self._clients[next(iter(self._clients))]

    def are_spent(self, client: str, now_s: float) -> bool:
        """Whether `client` has to wait."""
        bucket = self._clients.get(client)
        return bucket is not None and not bucket.has_one(now_s)
