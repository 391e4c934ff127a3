"""Files of a collection: inside its folder, of a bounded size, text."""

from pathlib import Path
from typing import Any

LARGEST = 1024 * 1024


class Unreadable(Exception):
    """Why a file is not taken, in words for whoever imports."""


def text_of(folder: Path, *parts: str) -> str:
    """The file's text; names in a collection's files may not lead out of it."""
    path = folder.joinpath(*parts)
    try:
        whole, root = path.resolve(strict=True), folder.resolve(strict=True)
        if not whole.is_relative_to(root):
            raise Unreadable("leads out of the folder")
        if whole.stat().st_size > LARGEST:
            raise Unreadable(f"is larger than {LARGEST // 1024} kB")
        # A NUL is in some scripts by mistake; no engine reads it and PostgreSQL keeps none.
        return whole.read_text(encoding="utf-8-sig", errors="replace").replace("\0", " ")
    except (OSError, ValueError, RuntimeError) as problem:  # of RuntimeError: links in a circle
        raise Unreadable("is not there") from problem


def has(folder: Path, *parts: str) -> bool:
    return folder.joinpath(*parts).is_file()


def listed(told: Any) -> list[Any]:
    """A list that a file should hold, whatever it holds."""
    return told if isinstance(told, list) else []
