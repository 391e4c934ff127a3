"""What is found, what is chosen, and that mistakes are told instead of raised."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stadtherz.kit import registry
from stadtherz.kit.registry import Source, app_of, installed_service_apps, load

WATER = "stadtherz.services.water"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """The registry reads the environment once; here it must read it anew."""
    load.cache_clear()
    yield
    load.cache_clear()


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv(registry.VARIABLE, raising=False)
    return monkeypatch


def test_every_folder_with_a_declaration_is_a_service(chosen: pytest.MonkeyPatch) -> None:
    assert WATER in installed_service_apps()


def test_an_empty_choice_means_no_service(chosen: pytest.MonkeyPatch) -> None:
    chosen.setenv(registry.VARIABLE, "")
    assert (installed_service_apps(), load().services) == ([], ())


def test_keys_choose_services(chosen: pytest.MonkeyPatch) -> None:
    chosen.setenv(registry.VARIABLE, " water , water ")
    assert installed_service_apps() == [WATER]


def test_an_unknown_key_is_told_with_the_known_ones(chosen: pytest.MonkeyPatch) -> None:
    chosen.setenv(registry.VARIABLE, "water,wether")
    (problem,) = load().problems
    assert problem.service == "wether"
    assert "water" in problem.hint
    assert [service.key for service in load().services] == ["water"]


def test_a_dotted_path_names_a_service_of_somebody_else(
    chosen: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "__init__.py").touch()
    chosen.syspath_prepend(tmp_path)
    chosen.setenv(registry.VARIABLE, "elsewhere.service:SERVICE")
    assert installed_service_apps() == ["elsewhere"]


@pytest.mark.parametrize("path", ["nowhere.service:SERVICE", "no.where.service:SERVICE"])
def test_a_package_that_is_not_there_does_not_keep_the_city_from_starting(
    chosen: pytest.MonkeyPatch, path: str
) -> None:
    chosen.setenv(registry.VARIABLE, f"water,{path}")
    assert installed_service_apps() == [WATER]
    (problem,) = load().problems
    assert "No module named" in problem.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SERVICE = 1\n", "is a int, not a Service"),
        ("import nowhere_to_be_found\n", "No module named 'nowhere_to_be_found'"),
        ("OTHER = 1\n", "has no attribute 'SERVICE'"),
    ],
)
def test_a_broken_declaration_is_told_and_does_not_crash(
    chosen: pytest.MonkeyPatch, tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "broken_service.py").write_text(text)
    chosen.syspath_prepend(tmp_path)
    chosen.setenv(registry.VARIABLE, "water,broken_service:SERVICE")
    problems = load().problems
    sys.modules.pop("broken_service", None)
    assert told in problems[0].text
    assert [service.key for service in load().services] == ["water"]


def test_the_app_of_a_service_is_its_folder(chosen: pytest.MonkeyPatch) -> None:
    (water,) = (service for service in load().services if service.key == "water")
    assert app_of(water) == WATER


def test_a_source_knows_its_app() -> None:
    assert Source("noise", "town.noise.service", "SERVICE").app == "town.noise"
