"""Message forms from the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from stadtherz.cli import instance
from stadtherz.cli.credentials import token
from stadtherz.cli.forms import forms
from stadtherz.identity.public import ApiToken, create_organisation
from stadtherz.ingest.public import MessageForm, register_device

pytestmark = pytest.mark.django_db
TOWN = ("--organisation", "town")


@pytest.fixture(autouse=True)
def town(monkeypatch: pytest.MonkeyPatch) -> int:
    """The test's database stands for the instance."""
    for name in ("load", "require_initialised"):
        monkeypatch.setattr(instance, name, lambda: None)
    return create_organisation("town", "Town")


def run(*options: str, typed: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(forms, options, input=typed)
    return result.exit_code, result.output


def test_a_form_is_kept_listed_and_replaced(town: int) -> None:
    for device in ("id", "topic:2"):
        assert run("add", "counter", *TOWN, "--device", device, "--time", "at")[0] == 0
    assert MessageForm.objects.get().device == "topic:2"
    status, output = run("list", *TOWN)
    assert (status, "counter" in output, "topic:2" in output) == (0, True, True)


@pytest.mark.parametrize(
    ("option", "written"), [("--device", "a..b"), ("--time-zone", "Mars/Phobos")]
)
def test_a_mistake_is_told_with_its_field(option: str, written: str) -> None:
    options = {"--device": "id", option: written}
    status, output = run("add", "c", *TOWN, *(each for pair in options.items() for each in pair))
    assert status == 1
    assert option.removeprefix("--").replace("-", "_") in output


def test_a_message_is_tried(town: int, tmp_path: Path) -> None:
    register_device(town, "json", "7", "Seven")
    run("add", "counter", *TOWN, "--device", "topic:-1", "--time", "at")
    message = tmp_path / "message.json"
    message.write_text('{"at": 1764144000, "count": 3}')
    status, output = run("try", "counter", str(message), *TOWN, "--topic", "station/7")
    assert status == 1  # nobody has said yet what it measures
    assert "7  2025-11-26T08:00:00Z  Seven" in output
    assert "count = 3" in output
    status, output = run("try", "counter", *TOWN, typed="{}")
    assert (status, "topic:-1" in output) == (1, True)
    assert run("try", "nothing", *TOWN, typed="{}")[0] == 1


def test_a_token_is_made_for_one_device(town: int) -> None:
    device = register_device(town, "json", "a/7", "Seven")
    made = CliRunner().invoke(token, ["create", "seven", *TOWN, "--device", "json/a/7"])
    assert made.exit_code == 0
    assert ApiToken.objects.get().device_id == device
    for more in (["--device", "json/8"], ["--device", "json/a/7", "--scope", "read"]):
        assert CliRunner().invoke(token, ["create", "x", *TOWN, *more]).exit_code == 1
