"""The files: kept in the data folder while an import needs them, and some time longer."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from stadtherz.base.errors import Invalid
from stadtherz.base.time import DAY, now_us
from stadtherz.ingest.tables.limits import KEPT_DAYS
from stadtherz.ingest.tables.models import TableImport
from stadtherz.ingest.tables.reasons import BadTable
from stadtherz.ingest.tables.recognise import recognise_form
from stadtherz.ingest.tables.rules import told

_BLOCK = 1 << 20


def folder_of(number: int) -> Path:
    """Where the file of an import and its report lie."""
    return Path(settings.DATA) / "tables" / str(number)


def file_of(row: TableImport) -> Path:
    """The file itself. Raises BadTable if it is no longer there."""
    path = folder_of(row.pk) / "file"
    if not path.exists():
        raise BadTable("gone")
    return path


def report_of(row: TableImport) -> Path:
    return folder_of(row.pk) / "report.jsonl"


def largest() -> int:
    """Bytes of the largest file that is taken. Raises Invalid if the setting is no number."""
    text = str(settings.STADTHERZ["table_mb"])
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise Invalid("STADTHERZ_TABLE_MB", "must be a whole number of megabytes")
    return int(text) * 1024**2


def check_size(size: int) -> None:
    most = largest()
    if size > most:
        raise BadTable("too_large", limit=f"{most // 1024**2} MB")


def take(owner: int, name: str, blocks: Iterable[bytes]) -> TableImport:
    """Keep a file and say how it seems to be written.

    Raises BadTable for what is too large or no table; then nothing is kept.
    """
    row = TableImport.objects.create(
        owner_id=owner, name=_safe(name), created_at=now_us(), state=TableImport.State.OPEN
    )
    folder = folder_of(row.pk)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        row.size, row.digest = _write(folder / "file", blocks)
        row.form = told(recognise_form(folder / "file", name))
        row.save()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        row.delete()
        raise
    return row


def blocks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def digest_of(path: Path) -> str:
    """What recognises a file whatever it is called."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, blocks: Iterable[bytes]) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    with path.open("wb") as file:
        for block in blocks:
            size += len(block)
            check_size(size)
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _safe(name: str) -> str:
    """The file's name for people; no path is ever made of it."""
    text = "".join(sign for sign in Path(name).name if sign.isprintable()).strip()
    return text[-200:] or "?"


def forget(row: TableImport) -> None:
    """Delete the file and its report."""
    shutil.rmtree(folder_of(row.pk), ignore_errors=True)


def sweep(kept: int = KEPT_DAYS) -> int:
    """Delete the files of imports that ended, or were left alone, so many days ago."""
    limit = now_us() - kept * DAY
    old = Q(finished_at__lt=limit) | Q(finished_at=None, created_at__lt=limit)
    rows = TableImport.objects.filter(old, file_gone=False)
    rows = rows.exclude(state__in=TableImport.WORKING)
    for row in rows:
        forget(row)
        TableImport.objects.filter(pk=row.pk).update(file_gone=True)
    return len(rows)
