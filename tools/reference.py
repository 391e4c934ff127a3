"""Writes docs/reference from the code, so that the two cannot disagree.

    python tools/reference.py            write the pages
    python tools/reference.py --check    only say which pages are out of date

The package must be installed, or PYTHONPATH=src.

A test runs the check: whoever adds a setting, a verb, a declaration field, a property or an error
runs this once and reads what it made.
"""

import ast
import dataclasses
import inspect
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click
import django
from django.utils import translation

from stadtherz.base import errors
from stadtherz.cli.main import main as verbs
from stadtherz.kit import declaration, registry
from stadtherz.kit.declaration import Service
from stadtherz.sensorthings.standard.schema import MODELS, EntityType

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "stadtherz"
TARGET = ROOT / "docs" / "reference"
_SETTING = re.compile(r"STADTHERZ_[A-Z_]+")
_SETTING_LINE = re.compile(r" {4}(STADTHERZ_[A-Z_]+) +(.+)")


def pages() -> dict[str, str]:
    """Every reference page by file name. Needs Django to be set up."""
    return {
        "settings.md": settings_page(),
        "cli.md": cli_page(),
        "services.md": services_page(),
        "sensorthings.md": sensorthings_page("1.1", "OGC 18-088 §8.2, 17-079r1 and 22-022r1"),
        "sensorthings-2.md": sensorthings_page("2.0", "OGC 23-019 §8"),
        "errors.md": errors_page(),
    }


def outdated(folder: Path = TARGET) -> list[str]:
    """Names of the pages that differ from what the code says."""
    return [name for name, text in pages().items() if _read(folder / name) != text]


def write(folder: Path = TARGET) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


# --- settings ----------------------------------------------------------------------------------


def settings_page() -> str:
    told, read = described_settings(), settings_read()
    parts = [
        _section(2, f"`{name}`", _sentence(text), _default_text(read.get(name)))
        for name, text in told.items()
    ]
    return _page(
        "Settings",
        "The environment decides about one running city. The command line sets the variables that "
        "have an option of their own.",
        parts,
    )


def described_settings() -> dict[str, str]:
    """What the docstring of `project/settings.py` says about each variable."""
    source = (SOURCES / "project" / "settings.py").read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source), clean=False) or ""
    lines = [match for line in docstring.splitlines() if (match := _SETTING_LINE.fullmatch(line))]
    return {match[1]: match[2] for match in lines}


@cache
def settings_read() -> dict[str, str | None]:
    """Every variable the product's code names, with its default where one is written beside it."""
    found: dict[str, str | None] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        if "tests" not in path.parts:
            for name, default in _settings_in(ast.parse(path.read_text(encoding="utf-8"))):
                found[name] = found.get(name) or default
    return found


def _settings_in(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and _names_setting(node):
            yield str(node.value), None
        if isinstance(node, ast.Call) and len(node.args) == 2 and _names_setting(node.args[0]):
            name, default = node.args
            if ast.unparse(node.func) == "os.environ.get" and isinstance(default, ast.Constant):
                yield ast.literal_eval(name), str(default.value)


def _names_setting(node: ast.expr) -> bool:
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, str) and _SETTING.fullmatch(value) is not None


def _default_text(default: str | None) -> str:
    return f"Default: `{default}`" if default else ""


# --- command line ------------------------------------------------------------------------------


def cli_page() -> str:
    parts = [_command(path, command) for path, command in commands(verbs, "stadtherz")]
    return _page("Command line", _first_paragraph(verbs.help or ""), parts)


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every verb below the group with its full name; groups themselves only lead on."""
    for name, command in sorted(group.commands.items()):
        full = f"{path} {name}"
        if isinstance(command, click.Group):
            yield from commands(command, full)
        else:
            yield full, command


def _command(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path)
    usage = f"```\n{path} {' '.join(command.collect_usage_pieces(context))}\n```"
    options = [each for each in command.params if isinstance(each, click.Option)]
    rows = [(_option_names(each), each.help or "", _option_default(each)) for each in options]
    shown = _table(("option", "meaning", "default"), rows) if rows else ""
    return _section(2, f"`{path}`", inspect.cleandoc(command.help or ""), usage, shown)


def _option_names(option: click.Option) -> str:
    return ", ".join(f"`{name}`" for name in option.opts)


def _option_default(option: click.Option) -> str:
    variable = f"`{option.envvar}`" if isinstance(option.envvar, str) else ""
    plain = option.default if isinstance(option.default, str | int | float | Path) else None
    value = "" if plain is None or option.is_flag else f"`{plain}`"
    return ", or ".join(filter(None, (variable, value)))


# --- services ----------------------------------------------------------------------------------


def services_page() -> str:
    services = [_service(service) for service in registry.services()]
    classes = [
        each
        for _name, each in inspect.getmembers(declaration, dataclasses.is_dataclass)
        if inspect.isclass(each) and each.__module__ == declaration.__name__
    ]
    classes.sort(
        key=lambda each: (each is not declaration.Service, inspect.getsourcelines(each)[1])
    )
    return _page(
        "Services",
        "What the installed services declare, and every field a declaration may have.",
        [*services, "## Fields of a declaration", *(_declaration_class(each) for each in classes)],
    )


def _service(service: Service) -> str:
    facts = [
        ("pages", f"`/{service.prefix}/`: " + ", ".join(page.name for page in service.pages)),
        ("maturity", service.maturity.value),
        ("observes", ", ".join(str(each.name) for each in service.observes)),
        ("publishes", ", ".join(str(each.name) for each in service.publishes)),
        ("jobs", ", ".join(f"{job.name} (every {job.every})" for job in service.jobs)),
        ("permissions", ", ".join(f"`{each.key}`" for each in service.permissions)),
        ("alerts", ", ".join(f"`{each.key}`" for each in service.alerts)),
        ("datasets", ", ".join(f"`{d.key}` ({d.licence})" for d in service.datasets)),
        ("kept", "; ".join(f"{k.model().__name__} {k.months} months" for k in service.retention)),
    ]
    shown = _table(("what", "which"), [fact for fact in facts if fact[1]])
    return _section(2, f"{service.name} (`{service.key}`)", _sentence(str(service.summary)), shown)


def _declaration_class(each: type[Any]) -> str:
    comments = _field_comments(each)
    fields = [
        _section(4, f"`{each.__name__}.{name}`", f"`{kind}`", _sentence(comment))
        for name, kind, comment in comments
    ]
    said = _own_docstring(each)
    return _section(3, f"`{each.__name__}`", said, *fields)


def _field_comments(each: type[Any]) -> list[tuple[str, str, str]]:
    """Name, type and trailing comment of each field, from the class's source."""
    source = inspect.getsource(each)
    lines = source.splitlines()
    body = ast.parse(source).body[0]
    nodes = [node for node in getattr(body, "body", ()) if isinstance(node, ast.AnnAssign)]
    return [
        (
            ast.unparse(node.target),
            ast.unparse(node.annotation).strip("'\""),
            lines[(node.end_lineno or node.lineno) - 1].partition("  # ")[2],
        )
        for node in nodes
    ]


def _own_docstring(each: type[Any]) -> str:
    """The docstring, unless it is the signature a dataclass writes by itself."""
    said = inspect.getdoc(each) or ""
    return "" if said.startswith(f"{each.__name__}(") else said


# --- SensorThings ------------------------------------------------------------------------------


def sensorthings_page(version: str, source: str) -> str:
    return _page(
        "SensorThings entities"
        if version == "1.1"
        else f"SensorThings entities, version {version}",
        f"The entities below `/sta/v{version}`, by the names of {source}. A derived property is made "
        f"by the server. `/sta/v{version}/openapi.json` describes every operation as OpenAPI 3.1.",
        [_entity(each) for each in MODELS[version].values()],
    )


def _entity(entity: EntityType) -> str:
    properties = [
        (f"`{each.name}`", each.shape.value, _need(required=each.required, derived=each.derived))
        for each in entity.properties
    ]
    links = [
        (
            f"`{link.name}`",
            f"many {link.target}" if link.many else link.target,
            _need(required=link.required),
        )
        for link in entity.links
    ]
    return _section(
        2,
        f"{entity.name} (`/{entity.plural}`)",
        _table(("property", "form", ""), properties),
        _table(("link", "leads to", ""), links),
    )


def _need(required: bool, derived: bool = False) -> str:
    return "derived" if derived else "required" if required else ""


# --- errors ------------------------------------------------------------------------------------


def errors_page() -> str:
    classes = [
        each
        for _name, each in inspect.getmembers(errors, inspect.isclass)
        if each.__module__ == errors.__name__ and each is not errors.StadtherzError
    ]
    classes.sort(key=lambda each: inspect.getsourcelines(each)[1])
    tree = (errors.__doc__ or "").partition("\n\n")[2].partition("\n\n")[0]
    return _page(
        "Errors",
        f"```\n{inspect.cleandoc(tree)}\n```",
        [_section(2, f"`{each.__name__}`", inspect.getdoc(each) or "") for each in classes],
    )


# --- Markdown ----------------------------------------------------------------------------------


def _page(title: str, lead: str, parts: Sequence[str]) -> str:
    note = "<!-- Written by tools/reference.py; change the code, not this page. -->"
    return "\n\n".join([f"# {title}", note, lead, *parts]) + "\n"


def _section(level: int, title: str, *paragraphs: str) -> str:
    return "\n\n".join([f"{'#' * level} {title}", *filter(None, paragraphs)])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _sentence(text: str) -> str:
    """The text as a sentence: a capital first and a full stop last."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) or not text else ".")


def _first_paragraph(text: str) -> str:
    return inspect.cleandoc(text).partition("\n\n")[0]


def _set_up(environment: Mapping[str, str]) -> None:
    """Django with every service and an empty data folder, speaking English."""
    os.environ.update(environment)
    django.setup()
    translation.activate("en")


def main() -> int:
    with tempfile.TemporaryDirectory() as data:
        _set_up({"DJANGO_SETTINGS_MODULE": "stadtherz.project.settings", "STADTHERZ_DATA": data})
        if "--check" not in sys.argv:
            write()
            return 0
        late = outdated()
    for name in late:
        print(
            f"docs/reference/{name} is out of date; run: python tools/reference.py", file=sys.stderr
        )
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
