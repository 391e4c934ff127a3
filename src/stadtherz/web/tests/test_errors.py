"""Errors become pages: the right status, a plain sentence, a way out."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils.translation import override

from stadtherz.base import errors as base
from stadtherz.kit.declaration import Page
from stadtherz.web import errors

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (base.NotFound("gauge"), 404, "Nicht gefunden"),
        (base.Forbidden("x"), 403, "Nicht erlaubt"),
        (base.Unauthenticated("x"), 401, "Bitte anmelden"),
        (base.Invalid("tage", "muss eine Zahl sein"), 400, "tage: muss eine Zahl sein"),
        (base.QuerySyntaxError("$filter", "unklar", 3), 400, "unklar (at position 3)"),
        (base.Conflict("schon da"), 409, "schon da"),
        (base.TooLarge("höchstens 5"), 413, "höchstens 5"),
        (base.Unavailable("smtp", "geheim", retry=True), 503, "Gerade nicht verfügbar"),
        (base.StadtherzError("geheim"), 500, "Das hat nicht geklappt"),
    ],
)
def test_each_error_has_its_page(error: base.StadtherzError, status: int, words: str) -> None:
    request = RequestFactory().get("/")
    with override("de"):
        answer = errors.TranslateErrors(lambda r: HttpResponse()).process_exception(request, error)
    assert answer is not None
    assert answer.status_code == status
    page = answer.content.decode()
    assert words in page
    assert "geheim" not in page
    assert "Zur Startseite" in page


def test_a_partner_that_may_come_back_says_when() -> None:
    middleware = errors.TranslateErrors(lambda r: HttpResponse())
    error = base.Unavailable("x", "y", retry=True)
    answer = middleware.process_exception(RequestFactory().get("/"), error)
    assert answer is not None
    assert answer["Retry-After"] == "60"


def test_other_exceptions_are_left_to_django() -> None:
    middleware = errors.TranslateErrors(lambda r: HttpResponse())
    assert middleware.process_exception(RequestFactory().get("/"), ValueError()) is None


def test_an_unknown_address_is_a_page_of_ours() -> None:
    answer = Client().get("/gibt-es-nicht/")
    assert answer.status_code == 404
    assert "Unter dieser Adresse gibt es nichts" in answer.content.decode()


def test_the_last_resort_needs_no_database(django_assert_num_queries: object) -> None:
    with override("de"):
        answer = errors.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "auf unserer" not in answer.content.decode()
    assert "schiefgegangen" in answer.content.decode()


class Somebody:
    """A user with or without a permission."""

    def __init__(self, *permissions: str, staff: bool = True, known: bool = True) -> None:
        self._permissions = permissions
        self.is_staff = staff
        self.is_authenticated = known

    def has_perm(self, key: str) -> bool:
        return key in self._permissions


def visit(user: Somebody) -> HttpResponse:
    request = RequestFactory().get("/")
    request.user = user  # type: ignore[assignment]
    answer = errors.guarded(Page("list", "", shown, permission="water.edit"))(request)
    assert isinstance(answer, HttpResponse)
    return answer


def shown(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("shown")


def test_a_guarded_page_opens_with_its_permission() -> None:
    assert visit(Somebody("water.edit")).content == b"shown"


def test_staff_without_the_permission_are_told() -> None:
    with pytest.raises(base.Forbidden):
        visit(Somebody())


@pytest.mark.parametrize("user", [Somebody(known=False), Somebody("water.edit", staff=False)])
def test_strangers_learn_nothing(user: Somebody) -> None:
    with pytest.raises(base.NotFound):
        visit(user)


def test_a_page_without_permission_is_its_own_view() -> None:
    assert errors.guarded(Page("list", "", shown)) is shown
