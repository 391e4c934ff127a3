"""Copies the skeleton: a small service that works, is tested and translated, to go on from."""

import re
from importlib.resources import files
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from stadtherz.base.errors import Conflict, Invalid

_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
_SUFFIX = "-tpl"  # the files are no code of ours until they have a name


def new_service(name: str, into: Path) -> Path:
    """Make the folder of a new service in the folder `into` and give its path.

    `name` becomes its key, its folder and its prefix, so it must be a lower-case word. Raises Invalid
    for another name and Conflict if the folder is there already. Below `stadtherz/services` the new
    service is found by itself; elsewhere STADTHERZ_SERVICES or an entry point names it.

    >>> import tempfile
    >>> folder = new_service("noise", Path(tempfile.mkdtemp()))
    >>> (folder / "service.py").exists()
    True
    """
    if not _NAME.fullmatch(name):
        raise Invalid("name", f"{name!r} must be a lower-case word such as noise")
    target = into / name
    if target.exists():
        raise Conflict(f"{target} exists already")
    package = f"stadtherz.services.{name}" if _is_ours(into) else name
    root = Path(str(files("stadtherz.kit") / "skeleton"))
    for source in sorted(root.rglob(f"*{_SUFFIX}")):
        place = str(source.relative_to(root)).removesuffix(_SUFFIX).replace("sample", name)
        _write(target / place, _filled(source.read_text(encoding="utf-8"), name, package))
    _compile_translations(target)
    return target


def _is_ours(into: Path) -> bool:
    return into.resolve().parts[-2:] == ("stadtherz", "services")


def _filled(text: str, name: str, package: str) -> str:
    """The skeleton's words replaced: its package, its key, and its name as people read it."""
    title = name.replace("_", " ").capitalize()
    return text.replace("SAMPLE_PACKAGE", package).replace("sample", name).replace("Sample", title)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _compile_translations(target: Path) -> None:
    for source in target.rglob("*.po"):
        with source.open("rb") as text, source.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, read_po(text))
