import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from stadtherz.web.security import HEADERS, ContentSecurityPolicy
from stadtherz.web.tests.staff_cast import signed_in, town


def answer(response: HttpResponse) -> HttpResponse:
    def view(request: HttpRequest) -> HttpResponse:
        return response

    answered = ContentSecurityPolicy(view)(RequestFactory().get("/"))
    assert isinstance(answered, HttpResponse)
    return answered


def test_every_answer_carries_the_rules() -> None:
    response = answer(HttpResponse())
    assert all(response[name] == value for name, value in HEADERS.items())


def test_the_policy_has_no_exception_for_anything_inline() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "http" not in policy


def test_a_stricter_policy_of_a_view_is_kept() -> None:
    strict = HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"})
    assert answer(strict)["Content-Security-Policy"] == "default-src 'none'"


@pytest.mark.django_db
def test_files_and_missing_pages_carry_the_rules_too(client: Client) -> None:
    for path in ("/static/staff/staff.js", "/static/nichts.js", "/konto/gibtsnicht/", "/healthz"):
        response = client.get(path)
        assert response["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
        response.close()


@pytest.mark.django_db
def test_the_back_office_has_no_inline_script_style_or_handler() -> None:
    home = town("lautern")
    client = signed_in("editor@lautern.example")
    for url in (
        "/verwaltung/",
        reverse("device:index"),
        reverse("device:add"),
        reverse("device:edit", args=[home.device]),
        reverse("device:delete", args=[home.device]),
        reverse("refused:inspect", args=[home.refused]),
    ):
        page = client.get(url).content.decode()
        scripts = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", page)
        assert not scripts, url
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page), url
        assert "http://" not in re.sub(r'xmlns="[^"]*"', "", page).replace("http://testserver", "")
