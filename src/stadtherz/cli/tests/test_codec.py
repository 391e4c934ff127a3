"""Codecs from the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from stadtherz.cli.codec import codec

TEXT = """function decodeUplink(input) {
  console.log("seen", input.fPort);
  if (input.bytes.length < 2) return {errors: ["too short"]};
  return {data: {level: input.bytes[1] + Number(input.variables.zero || 0)}, warnings: ["low"]};
}"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "radar.js"
    path.write_text(TEXT)
    return str(path)


def attempt(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(codec, ["try", *options])
    return result.exit_code, result.output


def test_a_codec_is_tried_with_a_payload(script: str) -> None:
    status, output = attempt(script, "--bytes", "0105", "--variable", "zero=10")
    assert status == 0
    assert '"level":15' in output
    assert "seen 1" in output
    assert "low" in output


def test_what_it_cannot_read_is_told_with_the_reason(script: str) -> None:
    status, output = attempt(script, "--bytes", "01", "--port", "9")
    assert status == 1
    assert "radar.js" in output
    assert "too short" in output


def test_what_is_no_hexadecimal_is_refused(script: str) -> None:
    status, output = attempt(script, "--bytes", "zz")
    assert status == 2
    assert "hexadecimal" in output
