"""What is posted and when: DER resources with the rate of their list, readings with their postRate, responses at once.

A post that fails is tried again with a later round. It never keeps what is asked for from being read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from math import inf
from typing import Final

from orchestrator.setpoints.csip.book import Response
from orchestrator.setpoints.csip.readings import Mean, Picture
from orchestrator.setpoints.csip.telemetry import (
    DER_QUANTITIES,
    DER_ROLE,
    SITE_QUANTITIES,
    SITE_ROLE,
    STORED,
    Quantity,
    Rating,
    Statement,
    meter_reading,
    mrid_of,
    response,
    usage_point,
)
from orchestrator.setpoints.csip.walk import Errand, ServerTrouble, Walk, get_list, send

MOST_OWED: Final = 500
"""Responses that wait while the server is gone; then the oldest are given up."""
USUAL_POST_S: Final = 300
SHORTEST_POST_S: Final = 5
DER_RESOURCES: Final = ("DERCapabilityLink", "DERSettingsLink", "DERStatusLink", "DERAvailabilityLink")


class Post:
    """One usage point on the server: where it is, how often it wants readings, and when the next are due."""

    def __init__(self, name: str, role: str, quantities: tuple[Quantity, ...]) -> None:
        self.name = name
        self.role = role
        self.quantities = quantities
        self.href: str | None = None
        self.post_s = USUAL_POST_S
        self.due_s = -inf
        self.begin_s: float | None = None

    def wants(self, post_s: int | None, now_s: float) -> None:
        """The server says how often; a shorter time counts at once."""
        if post_s and post_s > 0:
            self.post_s = max(SHORTEST_POST_S, post_s)
            self.due_s = min(self.due_s, now_s + self.post_s)


class Posting:
    """Everything that this site posts."""

    def __init__(self, lfdi: str, rating: Rating, version: str) -> None:
        self._lfdi = lfdi
        self._rating = rating
        self._version = version
        self._owed: deque[Response] = deque(maxlen=MOST_OWED)
        self._shown: Picture | None = None
        self._site_mean, self._der_mean = Mean(), Mean()
        self._der_links: dict[str, str] = {}
        self._said: dict[str, bytes] = {}
        self._posts: tuple[Post, ...] = ()
        self._is_begun = False

    def owe(self, responses: Iterable[Response]) -> None:
        """Post these as soon as it can be."""
        self._owed.extend(responses)

    @property
    def owed(self) -> tuple[Response, ...]:
        """What was not posted yet, the oldest first."""
        return tuple(self._owed)

    def show(self, shown: Picture, now_s: float) -> None:
        """The site looks like this now."""
        self._shown = shown
        self._site_mean.add(shown, now_s)
        self._der_mean.add(shown, now_s)

    def begin_anew(self) -> None:
        """Forget what the server knows."""
        self._der_links, self._said, self._posts, self._is_begun = {}, {}, (), False

    def responses(self) -> Errand[None]:
        """Post what is owed, the oldest first. Raises ServerTrouble; what is refused is not tried again."""
        while self._owed:
            owed = self._owed[0]
            try:
                yield from send("POST", owed.reply_to, response(self._lfdi, owed))
            except ServerTrouble as trouble:
                if not trouble.is_final:
                    raise
            self._owed.popleft()

    def round(self, walk: Walk, clock: Callable[[], float], gradient: float | None) -> Errand[None]:
        """Post what is due. Raises ServerTrouble and DocumentError."""
        yield from self.responses()
        if self._shown is None:
            return
        yield from self._der(walk, self._shown, clock, gradient)
        yield from self._mirrors(walk, self._shown, clock)
        self._is_begun = True

    def next_s(self) -> float:
        """When the next is due (monotonic): responses at once, and so is all that the server was never told."""
        if self._owed or (self._shown is not None and not self._is_begun):
            return -inf
        return min((each.due_s for each in self._posts), default=inf)

    def _der(self, walk: Walk, shown: Picture, clock: Callable[[], float], gradient: float | None) -> Errand[None]:
        device, server_s = walk.found.device, _server_s(walk, clock)
        if device is None or device.der_list is None:
            return
        statement = Statement(shown, self._rating, gradient, self._version)
        due = walk.due.take("DERList", clock())
        if due:
            listed, entries = yield from get_list(device.der_list, "DERList", "DER")
            walk.due.done("DERList", clock(), listed.attribute_whole("pollRate"))
            links = ((name, entry.link(name)) for entry in entries[:1] for name in DER_RESOURCES)
            self._der_links = {name: walk.path(href) for name, href in links if href is not None}
        yield from self._say("DERCapabilityLink", statement.capability(), statement.capability())
        yield from self._say("DERSettingsLink", statement.settings(0), statement.settings(server_s))
        yield from self._say("DERStatusLink", b"" if due else statement.status(0), statement.status(server_s))
        if shown.has_battery and due:
            yield from self._say("DERAvailabilityLink", b"", statement.availability(server_s))

    def _say(self, link: str, content: bytes, document: bytes) -> Errand[None]:
        """Put a document where it says something else than before. `content` is it without times; empty: always put."""
        href = self._der_links.get(link)
        if href is None or (content and self._said.get(link) == content):
            return
        yield from send("PUT", href, document)
        self._said[link] = content or self._said.get(link, b"")

    def _mirrors(self, walk: Walk, shown: Picture, clock: Callable[[], float]) -> Errand[None]:
        path = walk.found.links.get("MirrorUsagePointListLink")
        if path is None:
            return
        if not self._posts:
            stored = (STORED,) if shown.has_battery and self._version != "1.2" else ()
            self._posts = (Post("site", SITE_ROLE, SITE_QUANTITIES), Post("der", DER_ROLE, (*DER_QUANTITIES, *stored)))
        if walk.due.take("MirrorUsagePointList", clock()):
            listed, entries = yield from get_list(path, "MirrorUsagePointList", "MirrorUsagePoint")
            walk.due.done("MirrorUsagePointList", clock(), listed.attribute_whole("pollRate"))
            known = {(each.text("mRID") or "").upper(): each for each in entries}
            for post in self._posts:
                node = known.get(mrid_of(self._lfdi, post.name))
                href = None if node is None else node.attribute("href")
                if node is not None and href:
                    post.href = walk.path(href)
                    post.wants(node.whole("postRate"), clock())
        for post in self._posts:
            yield from self._mirror(path, post, walk, shown, clock)

    def _mirror(self, path: str, post: Post, walk: Walk, shown: Picture, clock: Callable[[], float]) -> Errand[None]:
        if post.href is None:
            document = usage_point(self._lfdi, post.role, post.name, post.quantities, post.post_s)
            answer = yield from send("POST", path, document)
            if answer.location is None:
                raise ServerTrouble("the server does not say where a new usage point is")
            post.href = walk.path(answer.location)
            walk.due.at_s["MirrorUsagePointList"] = clock()  # it has the postRate of what is new
            post.due_s = clock()
        if clock() < post.due_s:
            return
        now_s, mean = clock(), self._site_mean if post.role == SITE_ROLE else self._der_mean
        end_s = _server_s(walk, clock)
        begin_s = end_s if post.begin_s is None else round(post.begin_s + (walk.found.server_ahead_s or 0.0))
        values = mean.take()
        if shown.stored_wh is not None:
            values["stored_wh"] = shown.stored_wh
        post.due_s, post.begin_s = now_s + post.post_s, now_s
        for quantity in post.quantities:
            value = values.get(quantity.name, getattr(shown, quantity.name))
            if value is not None:
                yield from send("POST", post.href, meter_reading(self._lfdi, quantity, value, begin_s, end_s))


def _server_s(walk: Walk, clock: Callable[[], float]) -> int:
    return int(clock() + (walk.found.server_ahead_s or 0.0))
