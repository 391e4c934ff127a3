"""The order of one client's messages, some of which go a slow way through threads and some a quick one.

What is sent again after a crash has to be looked for, while the next messages could be kept at once. They
wait for those before them, so that measurements are kept in the order in which their sender sent them.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from stadtherz.mqtt.arrivals.arrival import Arrival
from stadtherz.store.public import Offer

Held = tuple[Arrival, Offer | None]


@dataclass(slots=True)
class Turns:
    """An arrival with an offer goes the quick way, one without the slow way, which keeps the order itself."""

    _slow: Counter[str] = field(default_factory=Counter)  # on the slow way, by sender
    _held: dict[str, deque[Held]] = field(default_factory=dict)

    def is_due(self, arrival: Arrival, offer: Offer | None) -> bool:
        """Whether it may go now; else it is held, and `end` gives it back."""
        sender = arrival.sender
        held = self._held.get(sender)
        if held is None and (offer is None or not self._slow.get(sender)):
            return True
        self._held.setdefault(sender, deque()).append((arrival, offer))
        return False

    def begin(self, arrivals: Iterable[Arrival]) -> None:
        """These go the slow way."""
        self._slow.update(arrival.sender for arrival in arrivals)

    def end(self, arrivals: Iterable[Arrival]) -> list[Held]:
        """They have ended; what may go now instead, in order."""
        due: list[Held] = []
        for arrival in arrivals:
            sender = arrival.sender
            self._slow[sender] -= 1
            if not self._slow[sender]:
                del self._slow[sender]
                due += self._released(sender)
        return due

    def _released(self, sender: str) -> Iterable[Held]:
        """Up to the first one of the slow way: what is behind it goes on waiting."""
        held = self._held.pop(sender, None)
        while held:
            yield held[0]
            is_slow = held.popleft()[1] is None
            if is_slow and held:
                self._held[sender] = held
                return
