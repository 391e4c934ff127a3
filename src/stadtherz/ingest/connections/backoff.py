"""How long to wait before a broker is asked again."""

from random import SystemRandom

from stadtherz.ingest.connections.words import Problem

_random = SystemRandom()
# A broker that said no hears from us seldom: too many wrong passwords may lock an account.
_PATIENT = frozenset(
    {Problem.CREDENTIALS, Problem.SUBSCRIPTION, Problem.TAKEN_OVER, Problem.SECRET}
)
_HELD_S = 10.0  # a link that lasted this long was a good one


class Backoff:
    """Seconds, twice as long each time, with jitter: many clients of a broker that was away do not all
    come back at once."""

    def __init__(self) -> None:
        self._tries = 0

    def held(self, seconds: float) -> None:
        if seconds >= _HELD_S:
            self._tries = 0

    def next(self, problem: Problem) -> float:
        first, most = (30.0, 300.0) if problem in _PATIENT else (1.0, 60.0)
        wait = min(first * 2.0 ** min(self._tries, 10), most)
        self._tries += 1
        return wait * _random.uniform(0.5, 1.0)
