"""`stadtherz import`: a table from the command line, under a mapping that was saved before."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from stadtherz.base.errors import StadtherzError
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options
from stadtherz.cli.report import say

if TYPE_CHECKING:
    from stadtherz.ingest.public import TableImport


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--organisation", required=True, help="Short name of the organisation.")
@click.option("--mapping", required=True, help="Name of the saved mapping, or a file with one.")
@click.option("--dry-run", is_flag=True, help="Only say what an import would do.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the report per row (CSV).",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for scripts.")
@instance_options
def import_table(
    file: Path,
    organisation: str,
    mapping: str,
    dry_run: bool,
    report_file: Path | None,
    as_json: bool,
) -> None:
    """Import the measurements of a CSV FILE or Excel workbook.

    The mapping says what the columns mean. It is saved in the back office, under "Tables"; a file with one (JSON)
    is saved under the file's name. What is there already with the same time is not stored again, so an import
    that was interrupted is simply started again and goes on where it was.
    """
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.store.public import stop_writer

    try:
        row = _prepared(organisation_id(organisation), file, mapping)
        _work(row, dry_run=dry_run, quiet=as_json)
        _conclude(row, report_file, dry_run=dry_run, as_json=as_json)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    finally:
        stop_writer()


def _prepared(owner: int, file: Path, mapping: str) -> "TableImport":
    """The import of this file, the one that was interrupted if there is one."""
    from stadtherz.ingest.public import TableImport, tables

    saved = _mapping(owner, mapping)
    state = TableImport.State
    open_ones = TableImport.objects.filter(
        owner_id=owner,
        digest=tables.digest_of(file),
        mapping_name=saved.name,
        state__in=(state.IMPORTING, state.FAILED),
        file_gone=False,
    )
    for known in open_ones.order_by("-pk"):
        if known.place:
            return known
    row = tables.take(owner, file.name, tables.blocks_of(file))
    try:
        rules = tables.fitted(tables.file_of(row), tables.rules_of(saved.rules))
        tables.set_rules(row, rules, mapping_name=saved.name)
    except BaseException:
        tables.forget(row)
        row.delete()
        raise
    return row


def _mapping(owner: int, named: str) -> Any:
    from stadtherz.ingest.public import tables

    path = Path(named)
    if path.suffix != ".json":
        return tables.mapping_named(owner, named)
    try:
        plain = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as problem:
        raise click.ClickException(f"{path}: {problem}") from problem
    return tables.save_mapping(owner, path.stem, tables.rules_of(plain))


def _work(row: "TableImport", *, dry_run: bool, quiet: bool) -> None:
    """Do it in this process, to the end."""
    from stadtherz.ingest.public import tables

    if dry_run:
        tables.start_check(row)
    elif not row.is_working:
        tables.start_import(row)
    told = 0.0

    def tell(now: "TableImport") -> None:
        nonlocal told
        if not quiet and time.monotonic() - told >= 1.0:
            told = time.monotonic()
            percent = "" if now.percent is None else f" ({now.percent} %)"
            click.echo(f"\r{now.rows_done:,} rows{percent} ", err=True, nl=not sys.stderr.isatty())

    holder = tables.name_of_holder()
    while row.is_working:
        claimed = tables.claim(holder, row.pk)
        if claimed is None:  # another process is at it, or died and holds it for some seconds
            time.sleep(0.5)
            row.refresh_from_db()
            tell(row)
            continue
        tables.run(claimed, tell=tell)
        row.refresh_from_db()


def _conclude(
    row: "TableImport", report_file: Path | None, *, dry_run: bool, as_json: bool
) -> None:
    from stadtherz.ingest.public import tables

    if report_file is not None:
        found = tables.read_report(tables.report_of(row), row.counts.get("lines", 0))
        with report_file.open("w", encoding="utf-8", newline="") as out:
            out.writelines(tables.as_csv(found))
    if as_json:
        told = {"id": row.pk, "state": row.state, "problem": row.problem_sentence, **row.counts}
        click.echo(orjson.dumps(told).decode())
    elif row.counts:
        click.echo(tables.summary(row.counts))
        rules = tables.rules_of(row.rules)
        for line in tables.lines(row.counts, replace=rules.replace, done=not dry_run):
            click.echo(f"{line.count:>12,} {'not taken: ' if line.bad else ''}{line.text}")
    if row.problem:
        raise click.ClickException(row.problem_sentence)
    if row.counts.get("lines") and report_file is None and not as_json:
        say("Write the report per row with --report report.csv")
