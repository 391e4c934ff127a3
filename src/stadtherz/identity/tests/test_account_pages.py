"""Signing in and out as people do it, through the pages."""

import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from stadtherz.identity.models import User
from stadtherz.identity.public import create_organisation, create_user

pytestmark = pytest.mark.django_db
PASSWORD = "ein gutes Passwort"


@pytest.fixture(autouse=True)
def ada() -> User:
    cache.clear()  # of the limits on tries
    create_organisation("lautern", "Kaiserslautern")
    return User.objects.get(pk=create_user("ada@lautern.example", PASSWORD, "Ada", "lautern"))


def sign_in(client: Client, password: str = PASSWORD, **extra: Any) -> Any:
    form = {"login": "Ada@Lautern.example", "password": password}
    return client.post("/konto/login/", form, **extra)


def test_staff_sign_in_with_address_and_password_and_land_in_the_back_office(
    client: Client,
) -> None:
    assert sign_in(client)["Location"] == "/verwaltung/"
    assert client.get("/verwaltung/").status_code == 200


def test_the_sign_in_page_is_german_and_offers_no_sign_up(client: Client) -> None:
    page = client.get("/konto/login/", headers={"accept-language": "de"}).content.decode()
    assert "Anmelden" in page
    assert "registr" not in page.lower()


def test_where_an_address_has_no_language_none_is_offered(client: Client) -> None:
    assert "hreflang" not in client.get("/konto/login/").content.decode()
    assert 'hreflang="en"' in client.get("/").content.decode()


def test_the_sign_in_page_speaks_the_language_of_the_browser(client: Client) -> None:
    page = client.get("/konto/login/", headers={"accept-language": "en-GB, de;q=0.5"})
    assert '<html lang="en"' in page.content.decode()
    assert '<html lang="de"' in client.get("/konto/login/").content.decode()


def test_a_wrong_password_says_nothing_about_the_address(client: Client) -> None:
    known = sign_in(client, "falsch").context["form"].errors
    form = {"login": "niemand@lautern.example", "password": "falsch"}
    assert client.post("/konto/login/", form).context["form"].errors == known


def test_many_wrong_passwords_are_cut_short(client: Client) -> None:
    for _try in range(6):
        sign_in(client, "falsch")
    assert sign_in(client).status_code in {200, 429}
    assert "_auth_user_id" not in client.session


def test_a_deactivated_account_does_not_get_in(client: Client, ada: User) -> None:
    ada.is_active = False
    ada.save()
    sign_in(client)
    assert client.get("/verwaltung/").status_code == 302


def test_somebody_of_no_organisation_is_told_so_instead_of_going_in_circles(
    client: Client, ada: User
) -> None:
    ada.memberships.all().delete()
    sign_in(client)
    page = client.get("/verwaltung/", follow=True)
    assert page.status_code == 403
    assert "account/no_organisation.html" in [template.name for template in page.templates]


def test_signing_out_ends_the_session(client: Client) -> None:
    sign_in(client)
    assert client.post("/konto/logout/")["Location"] == "/"
    assert client.get("/verwaltung/").status_code == 302


def test_the_back_offices_own_button_signs_out_too(client: Client) -> None:
    sign_in(client)
    client.post("/verwaltung/logout/")
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up(client: Client) -> None:
    for path in ("signup/", "email/", "confirm-email/", "login/code/confirm/"):
        assert client.get(f"/konto/{path}").status_code == 404


def test_a_sign_in_does_not_lead_to_a_foreign_address(client: Client) -> None:
    form = {"login": "ada@lautern.example", "password": PASSWORD, "next": "https://boese.example/"}
    assert client.post("/konto/login/", form)["Location"] == "/verwaltung/"


def test_the_password_is_changed_with_the_old_one(client: Client, ada: User) -> None:
    sign_in(client)
    new = "ein neues Passwort"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.get("/konto/password/change/").status_code == 200
    client.post("/konto/password/change/", form)
    ada.refresh_from_db()
    assert ada.check_password(new)


def test_a_forgotten_password_is_reset_by_mail(client: Client, ada: User, settings: Any) -> None:
    settings.STADTHERZ = {**settings.STADTHERZ, "smtp": "smtp://mail.example"}
    client.post("/konto/password/reset/", {"email": ada.email})
    link = re.search(r"http://testserver(/konto/password/reset/key/\S+)", mail.outbox[0].body)
    assert link
    form_page = client.get(link[1], follow=True)
    new = "ein neues Passwort"
    action = form_page.context["action_url"]
    client.post(action, {"password1": new, "password2": new})
    ada.refresh_from_db()
    assert ada.check_password(new)


def test_the_reset_page_mails_no_stranger_and_answers_alike(client: Client, settings: Any) -> None:
    settings.STADTHERZ = {**settings.STADTHERZ, "smtp": "smtp://mail.example"}
    response = client.post("/konto/password/reset/", {"email": "fremd@example.org"})
    assert response["Location"] == "/konto/password/reset/done/"
    assert not mail.outbox


def test_without_a_mail_server_the_page_says_who_helps(client: Client, ada: User) -> None:
    page = client.post("/konto/password/reset/", {"email": ada.email}).content.decode()
    assert "stadtherz user password" in page
    assert not mail.outbox


def test_a_flood_of_tries_is_answered_by_a_page_of_ours(client: Client) -> None:
    page = None
    for number in range(40):
        page = client.post("/konto/login/", {"login": f"a{number}@b.example", "password": "falsch"})
        if page.status_code == 429:
            break
    assert page is not None
    assert page.status_code == 429
    assert "429.html" in [template.name for template in page.templates]


def test_allauth_speaks_to_people_as_a_municipality_does(client: Client) -> None:
    sign_in(client)
    client.post("/konto/logout/")
    page = client.get("/konto/login/", headers={"accept-language": "de"}).content.decode()
    assert "Sie sind abgemeldet." in page


def test_staff_choose_the_language_of_the_back_office(client: Client, ada: User) -> None:
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    assert '<html lang="de"' in client.get("/verwaltung/").content.decode()
    saved = client.post("/konto/", {"language": "en"}, follow=True).content.decode()
    assert '<html lang="en"' in saved
    assert "Saved." in saved
    ada.refresh_from_db()
    assert ada.language == "en"
    office = client.get("/verwaltung/", headers={"accept-language": "de"})
    assert '<html lang="en"' in office.content.decode()
    assert office["Content-Language"] == "en"
    assert '<html lang="de"' in client.get("/").content.decode()  # its address has a language


def test_nobody_changes_the_language_of_somebody_who_is_not_signed_in(client: Client) -> None:
    answer = client.post("/konto/", {"language": "en"})
    assert (answer.status_code, answer["Location"]) == (302, "/konto/login/?next=/konto/")


def test_a_language_that_there_is_not_is_refused_beside_the_field(
    client: Client, ada: User
) -> None:
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    page = client.post("/konto/", {"language": "fr"})
    assert 'role="alert"' in page.content.decode()
    ada.refresh_from_db()
    assert ada.language == "de"
