"""What a look at the store finds, and where it is noted."""

from dataclasses import dataclass, field
from pathlib import Path

BACKUP = "only a backup from before has them"
REPAIR = "`stadtherz store check --repair` mends it"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the store that is not as it should be."""

    datastream: int | None
    where: str  # "chunk 17", "summary", "log row 400"
    what: str
    repaired: bool
    advice: str = ""


@dataclass(slots=True)
class Report:
    """The problems so far, and what may be done about them."""

    repair: bool
    folder: Path  # where damaged bytes are kept
    problems: list[Problem] = field(default_factory=list)

    def add(
        self,
        datastream: int | None,
        where: str,
        what: str,
        *,
        mendable: bool = True,
        advice: str = "",
    ) -> None:
        """Note a problem; one that is mendable is mended by whoever notes it, if we repair."""
        repaired = mendable and self.repair
        if mendable and not self.repair:
            advice = f"{advice}; {REPAIR}" if advice else REPAIR
        self.problems.append(Problem(datastream, where, what, repaired, advice))

    def keep(self, name: str, data: bytes) -> str:
        """Put damaged bytes aside and say where."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.bin"
        path.write_bytes(data)
        return str(path)
