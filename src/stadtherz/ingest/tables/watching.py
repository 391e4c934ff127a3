"""Folders whose files are imported by themselves.

A file is taken when it has not changed for some seconds, so nobody reads what another program still writes.
It stays where it is until it is imported, then it lies in `done` or `failed` with its report beside. The same
file again, or renamed, is recognised by its content.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import override

from stadtherz.base.errors import StadtherzError
from stadtherz.base.time import SECOND, now_us
from stadtherz.ingest.tables import keeping, report, work
from stadtherz.ingest.tables.fitting import fitted
from stadtherz.ingest.tables.models import TableImport, WatchedFolder
from stadtherz.ingest.tables.reasons import BadTable
from stadtherz.ingest.tables.rules import rules_of
from stadtherz.ingest.tables.understanding import Problem

logger = logging.getLogger(__name__)

QUIET_S = 5.0
"""Seconds without a change after which a file counts as written."""

_UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".tmp", "~", ".swp")
State = TableImport.State


def path_of(folder: WatchedFolder) -> Path:
    """Where the folder lies on the machine."""
    path: Path = settings.STADTHERZ["watched"]
    return path / folder.owner.slug / folder.name


def look(folder: WatchedFolder, *, quiet_s: float = QUIET_S) -> None:
    """Take what is new, put away what is imported."""
    path = path_of(folder)
    path.mkdir(parents=True, exist_ok=True)
    with _alone(path) as alone:
        if not alone:
            return
        folder.refresh_from_db()
        seen = {name: _Seen(*told) for name, told in folder.seen.items()}
        present = {file.name: file for file in _files(path)}
        left: dict[str, _Seen | None] = {
            name: each for name, each in seen.items() if name in present
        }
        for name, file in present.items():
            left[name] = _looked_at(folder, file, left.get(name), quiet_s)
        told = {name: each.told() for name, each in left.items() if each is not None}
        if told != folder.seen:
            WatchedFolder.objects.filter(pk=folder.pk).update(seen=told)


class _Seen:
    """What is known of a file: size and time of its last change, since when, and its import."""

    def __init__(self, size: int, changed: int, since: int, number: int = 0) -> None:
        self.size, self.changed, self.since, self.number = size, changed, since, number

    def told(self) -> list[int]:
        return [self.size, self.changed, self.since, self.number]

    def fits(self, stat: os.stat_result) -> bool:
        return (self.size, self.changed) == (stat.st_size, stat.st_mtime_ns)


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether no other process looks at this folder just now; a dead one holds nothing."""
    with (path / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _files(path: Path) -> Iterator[Path]:
    for file in sorted(path.iterdir()):
        hidden = file.name.startswith((".", "~")) or file.name.lower().endswith(_UNFINISHED)
        if file.is_file() and not file.is_symlink() and not hidden:
            yield file


def _looked_at(
    folder: WatchedFolder, file: Path, seen: _Seen | None, quiet_s: float
) -> _Seen | None:
    """What is known of the file now; None if it has been put away."""
    try:
        stat = file.stat()
        if seen is None or not seen.fits(stat):
            seen = _Seen(stat.st_size, stat.st_mtime_ns, now_us())
        if seen.number:
            return _followed(folder, file, seen)
        if now_us() - seen.since < quiet_s * SECOND:
            return seen
        return _taken(folder, file, seen)
    except FileNotFoundError:  # somebody took it away
        return None
    except OSError as problem:
        logger.warning("watched folder %s: %s", folder.pk, problem)
        return seen


def _taken(folder: WatchedFolder, file: Path, seen: _Seen) -> _Seen | None:
    known = _known(folder, keeping.digest_of(file))
    if known is not None and known.state == State.DONE:
        _put_away(file, "done", [Problem(0, "", file.name, "again", {"number": known.pk})])
        return None
    if known is not None:
        seen.number = known.pk
        return seen
    try:
        row = keeping.take(folder.owner_id, file.name, keeping.blocks_of(file))
    except BadTable as problem:
        _put_away(file, "failed", [Problem(0, "", "", problem.code, problem.facts)])
        return None
    if not seen.fits(file.stat()):  # it went on growing while we read
        _drop(row)
        return _Seen(0, 0, now_us())
    seen.number = row.pk
    _start(folder, row)
    return seen


def _known(folder: WatchedFolder, digest: str) -> TableImport | None:
    """The import of this content in this folder, unless it failed."""
    rows = TableImport.objects.filter(folder=folder, digest=digest)
    return rows.exclude(state=State.FAILED).order_by("-pk").first()


def _drop(row: TableImport) -> None:
    keeping.forget(row)
    row.delete()


def _start(folder: WatchedFolder, row: TableImport) -> None:
    TableImport.objects.filter(pk=row.pk).update(folder=folder)
    row.refresh_from_db()
    mapping = folder.mapping
    try:
        rules = fitted(keeping.file_of(row), rules_of(mapping.rules))
        work.set_rules(row, rules, mapping_name=mapping.name)
        work.start_import(row)
    except BadTable as problem:
        _failed(row, problem.code, problem.facts)
    except StadtherzError as problem:
        _failed(row, "store", {"told": str(problem)})


def _failed(row: TableImport, code: str, facts: Any) -> None:
    problem = {"code": code, "facts": facts}
    values: dict[str, Any] = {"state": State.FAILED, "problem": problem, "finished_at": now_us()}
    TableImport.objects.filter(pk=row.pk).update(**values)


def _followed(folder: WatchedFolder, file: Path, seen: _Seen) -> _Seen | None:
    """Put the file away when its import has ended."""
    row = TableImport.objects.filter(pk=seen.number).first()
    if row is None:
        return _Seen(seen.size, seen.changed, now_us())
    if row.state in (State.OPEN, State.READY) and row.folder_id is not None:
        _start(folder, row)  # a process died in between
        return seen
    if row.state not in (State.DONE, State.FAILED):
        return seen
    lines = row.counts.get("lines", 0)
    problems = list(report.read(keeping.report_of(row), lines))
    if row.problem:
        told = row.problem
        problems.insert(0, Problem(0, "", "", told["code"], told["facts"]))
    got = sum(row.counts.get(name, 0) for name in ("new", "same", "changed"))
    _put_away(file, "done" if row.state == State.DONE and got else "failed", problems)
    return None


def _put_away(file: Path, where: str, problems: list[Problem]) -> None:
    """Move the file, its report first, so that whoever finds the one finds the other."""
    target = file.parent / where
    target.mkdir(exist_ok=True)
    name = _free(target, file.name)
    with override(settings.LANGUAGE_CODE):
        text = "".join(report.as_csv(problems))
    beside = target / f"{name}.report.csv"
    beside.write_text(text, encoding="utf-8", newline="")
    file.rename(target / name)


def _free(folder: Path, name: str) -> str:
    """The name, or the next one that is not taken."""
    stem, suffix = Path(name).stem, Path(name).suffix
    found, count = name, 1
    while (folder / found).exists():
        count += 1
        found = f"{stem}-{count}{suffix}"
    return found


def look_at_all(*, quiet_s: float = QUIET_S) -> None:
    """All folders that are switched on; one that cannot be read does not stop the others."""
    for folder in WatchedFolder.objects.filter(active=True).select_related("owner", "mapping"):
        try:
            look(folder, quiet_s=quiet_s)
        except OSError as problem:
            logger.warning("watched folder %s: %s", folder.pk, problem)
