"""The first passwords and tokens of an instance, in one file that only its owner can read.

The database keeps digests only; `credentials.json` is how the operator gets to know the secrets
that `init` and `demo` made. It may be deleted after they are noted down.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Account:
    """Someone who can sign in."""

    email: str
    password: str
    role: str
    organisation: str


@dataclass(slots=True)
class Credentials:
    """Accounts by a short name; tokens by what they are for."""

    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


def path_in(data: Path) -> Path:
    return data / "credentials.json"


def read(data: Path) -> Credentials | None:
    path = path_in(data)
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    return Credentials(
        accounts={name: Account(**account) for name, account in content["accounts"].items()},
        tokens=content["tokens"],
    )


def write(data: Path, credentials: Credentials) -> None:
    """Replace the file as a whole, readable by its owner only from the first byte."""
    target = path_in(data)
    draft = target.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(credentials), file, indent=2, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
