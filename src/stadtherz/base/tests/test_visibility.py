from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.visibility import ANONYMOUS, SYSTEM, AccessLevel, Scope, Visibility

ids = st.integers(1, 4)
people = st.builds(
    Visibility,
    organisations=st.frozensets(ids),
    groups=st.frozensets(ids),
    writes=st.frozensets(ids),
    scopes=st.frozensets(st.sampled_from(Scope)),
)


@given(ids, st.none() | ids)
def test_strangers_read_what_is_public_and_nothing_else(owner: int, group: int | None) -> None:
    readable = {
        level for level in AccessLevel if ANONYMOUS.may_read(access=level, owner=owner, group=group)
    }
    assert readable == {AccessLevel.PUBLIC}


@given(people, ids, st.none() | ids)
def test_a_group_counts_only_for_what_is_marked_for_it(
    person: Visibility, owner: int, group: int | None
) -> None:
    assert person.may_read(access="organisation", owner=owner, group=group) == (
        owner in person.organisations
    )
    assert person.may_read(access="group", owner=owner, group=group) == (group in person.groups)


@given(people, ids)
def test_writing_needs_the_scope_and_the_organisation(person: Visibility, owner: int) -> None:
    assert person.may_write(owner) == (Scope.WRITE in person.scopes and owner in person.writes)


def test_the_products_own_jobs_see_everything() -> None:
    assert SYSTEM.may_read(access="group", owner=9, group=None)
    assert SYSTEM.may_write(9)
