"""Which hashed file a built asset has become: Vite's manifest, read once."""

import json
from functools import lru_cache
from pathlib import Path

from django.templatetags.static import static

ASSETS = Path(__file__).parent / "assets"


@lru_cache(maxsize=4)
def entries(folder: Path = ASSETS) -> dict[str, str]:
    """From an entry's source name ("main.css") to its built file; empty without a build."""
    path = folder / "manifest.json"
    if not path.exists():
        return {}
    manifest = json.loads(path.read_text(encoding="utf-8"))
    return {
        Path(source).name: chunk["file"]
        for source, chunk in manifest.items()
        if chunk.get("isEntry")
    }


def asset_url(name: str) -> str:
    """The address of an entry. Without a build the plain name: a 404 in the browser's log is
    clearer than a page that does not come at all."""
    return static(f"sh/{entries().get(name, name)}")
