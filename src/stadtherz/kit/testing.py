"""The contract every service keeps, as a test class, and a town to try services in.

A service's own tests run the suite by naming it:

    class TestWater(Contract):
        service = SERVICE

with a fixture `city` that has `organisation` and `neighbour` (such as `Town.found()`) and sets up what
the pages' `example`s name. The product runs the same suite over every registered service in
tests/services.
"""

import re
from typing import Any, ClassVar

from django.db import connections
from django.test.utils import CaptureQueriesContext

from stadtherz.base.visibility import ANONYMOUS
from stadtherz.kit import checks
from stadtherz.kit.declaration import Maturity, Service
from stadtherz.kit.inspection import (
    ROLES,
    address,
    app_folder,
    contents,
    expected_statuses,
    home,
    html_problems,
    is_hidden,
    leaves,
    looks_personal,
    own_models,
    read_out,
    relations,
    status,
)
from stadtherz.kit.registry import app_of, services
from stadtherz.kit.retention import lines
from stadtherz.kit.town import Town, person, react

__all__ = ["Contract", "Town", "address", "html_problems", "person", "react"]

HEADINGS = ("Purpose", "Set-up", "Limits", "Data protection")
LANGUAGES = ("de", "en")


class Contract:
    """What every service promises; `maturity` decides how much of it is required."""

    service: ClassVar[Service]

    # --- the declaration -------------------------------------------------------------------------

    def test_the_declaration_has_no_mistakes(self) -> None:
        folder = app_folder(self.service)
        found = [
            *checks.check_together(services()),
            *checks.check_service(self.service),
            *checks.check_templates(self.service, folder),
        ]
        assert [str(message) for message in found] == []

    def test_the_guide_has_its_headings(self) -> None:
        if self.service.maturity is Maturity.TRIAL:
            return
        text = (app_folder(self.service) / "guide.md").read_text(encoding="utf-8")
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert [heading for heading in HEADINGS if heading not in headings] == []

    def test_personal_data_have_a_line_of_retention(self) -> None:
        kept = {line.model() for line in lines()}
        declared = set(self.service.personal())
        hidden = {m for m in own_models(self.service) if looks_personal(m)} - declared
        assert declared - kept == set(), "declared personal, but kept for ever"
        assert hidden == set(), "these tables look personal; name them in `personal`"

    def test_relations_point_inwards_and_leave_no_name_behind(self) -> None:
        others = {app_of(s) for s in services() if s is not self.service}
        wrong = [
            str(field)
            for model in own_models(self.service)
            for field in relations(model)
            if leaves(field) and (not is_hidden(field) or home(field) in others)
        ]
        assert wrong == []

    # --- the pages -------------------------------------------------------------------------------

    def test_each_page_answers_in_both_languages(self, city: Any) -> None:
        client = person("administrator", city.organisation)
        for page in self.service.pages:
            for language in LANGUAGES:
                response = client.get(address(self.service, page, language))
                assert response.status_code == 200, f"{page.name} in {language}"
                read_out(response)

    def test_each_page_says_something_without_javascript(self, city: Any) -> None:
        client = person("administrator", city.organisation)
        for page in self.service.pages:
            response = client.get(address(self.service, page))
            if response["Content-Type"].startswith("text/html"):
                problems = list(html_problems(response.content.decode()))
                assert problems == [], page.name
            else:
                read_out(response)

    def test_each_page_opens_for_the_declared_roles_only(self, city: Any) -> None:
        people = {
            role: person(role, city.neighbour if role == "stranger" else city.organisation)
            for role in ROLES
        }
        for page in self.service.pages:
            where = address(self.service, page)
            got = {role: status(client, where) for role, client in people.items()}
            assert got == expected_statuses(self.service, page), page.name

    def test_no_page_exceeds_its_query_budget(self, city: Any) -> None:
        client = person("administrator", city.organisation)
        for page in self.service.pages:
            client.get(address(self.service, page))  # what is remembered, is remembered now
            with CaptureQueriesContext(connections["default"]) as asked:
                read_out(client.get(address(self.service, page)))
            assert len(asked) <= page.queries, f"{page.name}: {len(asked)} queries"

    # --- what runs by itself ---------------------------------------------------------------------

    def test_jobs_run_twice_change_nothing(self, city: Any) -> None:
        for job in self.service.jobs:
            job.call()
            before = contents(self.service)
            job.call()
            assert contents(self.service) == before, job.name

    def test_the_demo_runs_twice_and_changes_nothing(self, city: Any) -> None:
        if self.service.demo is None:
            return
        self.service.demo.call(city)
        before = contents(self.service)
        self.service.demo.call(city)
        assert contents(self.service) == before

    def test_tiles_have_keys_of_the_service_and_lead_somewhere(self, city: Any) -> None:
        client = person("administrator", city.organisation)
        for source in self.service.tiles:
            for tile in source.data(ANONYMOUS):
                assert tile.key.startswith(f"{self.service.key}.")
                assert client.get(tile.url).status_code == 200, tile.url
