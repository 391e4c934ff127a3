"""Who may see and change what, as a value that travels with every request.

Composition hands it over: `identity` makes it from a session or token, the data plane only reads
it, and the two never import each other.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum


class AccessLevel(StrEnum):
    """Who may read an entity besides its owner's staff with full rights."""

    PUBLIC = "public"
    ORGANISATION = "organisation"
    GROUP = "group"


class Scope(StrEnum):
    """What a token may be used for."""

    READ = "read"
    WRITE = "write"
    INGEST = "ingest"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Share:
    """A data set that its owner shares with the caller; who `writes` may also change its readings."""

    dataset: int
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Visibility:
    """What one caller may read and write.

    `organisations` are those whose "organisation" level the caller may read; `groups` the named
    groups (ids) the caller is in; `writes` the organisations whose data the caller may change;
    `home` owns what the caller creates. `everything` skips all limits and belongs to the operator
    and to the product's own jobs. `shares` open what hangs on the members of data sets. Whoever asks
    within a `dataset` sees nothing beside it. `device`, if any, is the only one whose measurements the
    caller may deliver.
    """

    actor: str = "anonymous"
    organisations: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()
    writes: frozenset[int] = frozenset()
    scopes: frozenset[Scope] = field(default_factory=lambda: frozenset({Scope.READ}))
    home: int | None = None
    everything: bool = False
    shares: frozenset[Share] = frozenset()
    dataset: int | None = None
    device: int | None = None

    def may_read(self, *, access: str, owner: int, group: int | None) -> bool:
        """The rule in words; `store.sharing.readable` says the same in SQL.

        What shares open besides is for `store.sharing` to say: it depends on what hangs on what.
        """
        if self.everything or access == AccessLevel.PUBLIC:
            return True
        if access == AccessLevel.ORGANISATION:
            return owner in self.organisations
        return group is not None and group in self.groups

    def may_write(self, owner: int) -> bool:
        if Scope.WRITE not in self.scopes:
            return False
        return self.everything or owner in self.writes

    @property
    def unbounded(self) -> bool:
        """Whether there is nothing at all that the caller does not see."""
        return self.everything and self.dataset is None

    @property
    def outside(self) -> "Visibility":
        """The same caller, who asks for everything and not for one data set."""
        return self if self.dataset is None else replace(self, dataset=None)

    @property
    def contributions(self) -> frozenset[Share]:
        """The data sets of others whose readings the caller may change."""
        if Scope.WRITE not in self.scopes:
            return frozenset()
        return frozenset(share for share in self.shares if share.writes)

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes


ANONYMOUS = Visibility()
SYSTEM = Visibility(actor="system", everything=True, scopes=frozenset(Scope))
