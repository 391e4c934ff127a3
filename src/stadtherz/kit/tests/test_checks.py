"""Each mistake in a declaration is named in a sentence, and nothing else is."""

from pathlib import Path

import pytest
from django.utils.translation import gettext_lazy as _

from stadtherz.base.vocabulary import DISCHARGE
from stadtherz.kit.checks import check_service, check_services, check_templates, check_together
from stadtherz.kit.declaration import AlertKind, Dataset, Job, Maturity, Page, Permission, Service
from stadtherz.kit.tests.services import SOUND, broken, nothing, page


def ids(service: Service) -> list[str | None]:
    return [message.id for message in check_service(service)]


def test_the_registered_services_have_no_mistakes() -> None:
    assert check_services() == []


def test_a_sound_declaration_has_no_mistakes() -> None:
    assert check_service(SOUND) == []


@pytest.mark.parametrize(
    ("service", "code"),
    [
        (broken(pages=(Page("", path="", view=page),)), "kit.E004"),
        (broken(pages=(Page("a", "a/", page), Page("a", "b/", page))), "kit.E004"),
        (broken(permissions=()), "kit.E005"),
        (broken(permissions=(*SOUND.permissions, Permission("other.edit", _("Services")))), "kit.E005"),
        (broken(permissions=(*SOUND.permissions, Permission("sound", _("Services")))), "kit.E005"),
        (broken(observes=(DISCHARGE,)), "kit.E006"),
        (broken(alerts=(AlertKind("other.alarm", _("Services")),)), "kit.E007"),
        (broken(datasets=(Dataset("sound.a", _("Services"), "x"),) * 2), "kit.E007"),
        (broken(jobs=(Job("a", SOUND.jobs[0].every, nothing),) * 2), "kit.E007"),
        (broken(name="Klang"), "kit.E009"),
        (broken(name=_("A text nobody has translated")), "kit.W010"),
    ],
)  # fmt: skip
def test_a_mistake_is_found(service: Service, code: str) -> None:
    assert ids(service) == [code]


def test_a_trial_may_be_untranslated() -> None:
    assert ids(broken(name="Klang", maturity=Maturity.TRIAL)) == []


def test_two_services_with_one_key_or_prefix_are_found() -> None:
    found = [message.id for message in check_together([SOUND, SOUND])]
    assert found == ["kit.E002", "kit.E003"]
    assert check_together([SOUND, broken(key="other", prefix="anders")]) == []


def test_a_message_says_what_to_do() -> None:
    (message,) = check_service(broken(observes=(DISCHARGE,)))
    assert "water_level" in message.msg
    assert message.hint == "Add it to `observes`."


def test_a_template_outside_its_namespace_is_found(tmp_path: Path) -> None:
    (tmp_path / "templates" / "sound").mkdir(parents=True)
    assert check_templates(SOUND, tmp_path) == []
    (tmp_path / "templates" / "base.html").touch()
    (message,) = check_templates(SOUND, tmp_path)
    assert (message.id, "base.html" in message.msg) == ("kit.E008", True)
