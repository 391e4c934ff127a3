"""Data sets in the back office: made, filled with one's own, shared with others."""

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.base.visibility import SYSTEM, Visibility
from stadtherz.store.public import dataset, lists_of, streams_visible_to, with_shares
from stadtherz.web.tests.staff_cast import Town, client_of, town

pytestmark = pytest.mark.django_db


@pytest.fixture
def towns() -> tuple[Town, Town]:
    return town("lautern"), town("pirmasens")


@pytest.fixture
def editor(towns: tuple[Town, Town]) -> Client:
    return client_of("editor", *towns)


def form(home: Town, **changes: object) -> dict[str, object]:
    return {
        "title": "Flüsse",
        "slug": "rivers",
        "owner": home.organisation,
        "access": "public",
    } | changes


def test_an_editor_makes_a_data_set_and_shares_it(editor: Client, towns: tuple[Town, Town]) -> None:
    home, elsewhere = towns
    document = form(home, things=[home.thing], readers=[elsewhere.organisation])
    assert editor.post(reverse("dataset:add"), document).status_code == 302
    lists = lists_of("rivers", SYSTEM)
    assert (lists["things"], lists["readers"]) == ([home.thing], [elsewhere.organisation])
    neighbours = frozenset({elsewhere.organisation})
    shared = with_shares(Visibility(organisations=neighbours)).shares
    assert [share.dataset for share in shared] == [dataset("rivers", SYSTEM).id]


def test_members_of_others_are_no_choice(editor: Client, towns: tuple[Town, Town]) -> None:
    home, elsewhere = towns
    for field, key in (("things", elsewhere.thing), ("datastreams", elsewhere.stream)):
        answer = editor.post(reverse("dataset:add"), form(home, **{field: [key]}))
        assert answer.status_code == 200
    assert editor.post(reverse("dataset:add"), form(elsewhere)).status_code == 200
    assert len(lists_of("lautern", SYSTEM)["datastreams"]) == 1


@pytest.mark.parametrize("slug", ["Große Flüsse", "a/b", "", "lautern", "-a"])
def test_a_short_name_must_fit_an_address_and_be_free(
    editor: Client, towns: tuple[Town, Town], slug: str
) -> None:
    answer = editor.post(reverse("dataset:add"), form(towns[0], slug=slug))
    assert answer.status_code == 200
    assert answer.context["form"].errors.keys() == {"slug"}


def test_sharing_is_taken_back(editor: Client, towns: tuple[Town, Town]) -> None:
    home, elsewhere = towns
    url = reverse("dataset:edit", args=[home.dataset])
    shared = form(home, slug="lautern", datastreams=[home.stream], access="organisation")
    neighbour = Visibility(organisations=frozenset({elsewhere.organisation}))
    for readers in ([elsewhere.organisation], []):
        assert editor.post(url, shared | {"readers": readers}).status_code == 302
        assert bool(with_shares(neighbour).shares) is bool(readers)
    assert home.stream in streams_visible_to(SYSTEM)


def test_the_form_speaks_german(editor: Client) -> None:
    page = editor.get(reverse("dataset:add")).content.decode()
    for words in ("Titel", "Lizenz", "Einzelne Messreihen", "Organisationen, die lesen dürfen"):
        assert words in page
