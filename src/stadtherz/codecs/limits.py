"""How much a codec may take, of which the largest published ones need a hundredth."""

from dataclasses import asdict, dataclass

LARGEST_TEXT = 256 * 1024  # characters of a codec
DEEPEST = 32  # levels of what it gives


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes, for one decode each. `cpu` is what JavaScript may compute; `patience` is how
    long the parent waits before it kills; after `alarm` a worker ends by itself.
    """

    cpu: float = 0.5
    patience: float = 2.0
    alarm: float = 3.0
    memory: int = 32 * 1024 * 1024
    stack: int = 512 * 1024
    output: int = 64 * 1024
    address_space: int = 384 * 1024 * 1024  # of the process, of which Python takes a third

    def told(self) -> dict[str, float | int]:
        return asdict(self)


LIMITS = Limits()
