"""A saved mapping on another file: the same columns, but perhaps other lines above them."""

from dataclasses import replace
from pathlib import Path

from stadtherz.base.errors import Invalid
from stadtherz.base.time import now_us
from stadtherz.ingest.tables.models import TableMapping
from stadtherz.ingest.tables.reading import column_names, sheets
from stadtherz.ingest.tables.reasons import BadTable
from stadtherz.ingest.tables.recognise import recognise_form
from stadtherz.ingest.tables.rules import Form, Rules, told


def needed(rules: Rules) -> list[str]:
    """The columns that the rules name."""
    times = rules.times
    names = [times.column, times.second, times.season]
    if rules.long is None:
        names += [target.source for target in rules.targets]
    else:
        names += [*rules.long.series, rules.long.value]
    return [name for name in names if name]


def fitted(path: Path, rules: Rules) -> Rules:
    """The rules with the lines where this file has its header and data. Raises BadTable if it lacks columns."""
    found = recognise_form(path, path.name)
    wanted = rules.form
    if found.kind != wanted.kind:
        wanted = replace(found, decimal=wanted.decimal, thousands=wanted.thousands)
    if wanted.kind == "xlsx" and wanted.sheet not in sheets(path):
        wanted = replace(wanted, sheet=found.sheet)
    moved = replace(wanted, header=found.header, first=found.first)
    missing: list[str] = []
    for form in (wanted, moved):
        missing = _missing(path, form, rules)
        if not missing:
            return replace(rules, form=form)
    raise BadTable("no_column", column=missing[0])


def _missing(path: Path, form: Form, rules: Rules) -> list[str]:
    try:
        names = column_names(path, form)
    except BadTable:
        return needed(rules)
    return [name for name in needed(rules) if name not in names]


def save_mapping(owner: int, name: str, rules: Rules) -> TableMapping:
    """Keep the rules under a name; those of the same name are replaced."""
    if not name.strip():
        raise Invalid("name", "must not be empty")
    values = {"rules": told(rules), "changed_at": now_us()}
    row, _ = TableMapping.objects.update_or_create(
        owner_id=owner, name=name.strip()[:200], defaults=values
    )
    return row


def mapping_named(owner: int, name: str) -> TableMapping:
    """The organisation's mapping; raises Invalid if it has none of this name."""
    row = TableMapping.objects.filter(owner_id=owner, name=name).first()
    if row is None:
        raise Invalid("mapping", f"there is none of the name {name!r}")
    return row
