"""What a worker said before it was killed, and what a reader must therefore find."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Row = tuple[int, int, int]
"""Of a reading: datastream, its number, time."""


@dataclass
class Story:
    """What a worker said, and what must therefore be there and what may."""

    certain: dict[int, int] = field(default_factory=dict)  # id: number
    deleted: set[int] = field(default_factory=set)
    batches: list[list[Row]] = field(default_factory=list)  # not acknowledged
    acknowledged: list[list[Row]] = field(default_factory=list)
    deleting: set[int] = field(default_factory=set)
    correcting: dict[int, int] = field(default_factory=dict)

    def hear(self, lines: list[dict[str, Any]]) -> "Story":
        for line in lines:
            for name, value in line.items():
                getattr(self, f"_{name}", lambda _: None)(value)
        return self

    def _appending(self, rows: list[Row]) -> None:
        self.batches.append(rows)

    def _appended(self, receipts: list[tuple[int, int]]) -> None:
        numbers = [number for _, number in receipts]
        (batch,) = (b for b in self.batches if [row[1] for row in b] == numbers)
        self.batches.remove(batch)
        self.acknowledged.append(batch)
        self.certain.update(dict(receipts))

    def _deleting(self, ids: list[int]) -> None:
        self.deleting = set(ids)

    def _deleted(self, ids: list[int]) -> None:
        self.deleting = set()
        self.deleted.update(ids)
        for identity in ids:
            del self.certain[identity]

    def _correcting(self, change: tuple[int, int]) -> None:
        self.correcting = dict([change])

    def _corrected(self, change: tuple[int, int]) -> None:
        self.correcting = {}
        self.certain.update(dict([change]))

    def check(self, answer: dict[str, Any]) -> None:
        """Compare with what a reader found."""
        rows: dict[int, int] = dict(answer["rows"])
        assert answer["problems"] == []
        assert len(rows) == len(answer["rows"]), "an id is there twice"
        assert max(Counter(rows.values()).values(), default=1) == 1, "a reading is there twice"
        assert answer["scanned"] == sorted(rows)
        assert {answer["counted"], answer["extents"], answer["by_id"]} == {len(rows)}
        self._check_certain(rows)
        self._check_others({n for i, n in rows.items() if i not in self.certain})

    def _check_certain(self, rows: dict[int, int]) -> None:
        assert not self.deleted & set(rows), "a deleted reading came back"
        assert set(self.certain) - set(rows) <= self.deleting, "an acknowledged reading is missing"
        for identity, number in self.certain.items():
            allowed = {number, self.correcting.get(identity, number)}
            assert rows.get(identity, number) in allowed, "a reading is not what it was"

    def _check_others(self, numbers: set[int]) -> None:
        for batch in self.batches:
            present = [row[1] in numbers for row in batch]
            assert len(set(present)) <= 1, "half a batch"
            numbers -= {row[1] for row in batch}
        assert numbers == set(), "readings that nobody wrote"

    def check_again(self, lines: list[dict[str, Any]]) -> None:
        """Compare with what was found after batches had been appended a second time."""
        for line in lines:
            if receipts := line.get("again"):
                assert len({duplicate for _, _, duplicate in receipts}) == 1
                for identity, number, duplicate in receipts:
                    assert duplicate or identity not in self.certain
                    self.certain[identity] = number
        self.batches = []
        self.check(lines[-1])

    def repeatable(self) -> list[list[Row]]:
        """The last batches, without those of which something was changed."""
        untouched = set(self.certain.values()) - set(self.correcting.values())
        untouched -= {self.certain[identity] for identity in self.deleting}
        changed = {self.certain[identity] for identity in self.correcting}
        kept = [
            batch
            for batch in self.acknowledged[-5:]
            if {row[1] for row in batch} <= untouched - changed
        ]
        return [*self.batches, *kept]
