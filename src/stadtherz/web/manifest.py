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


@lru_cache(maxsize=4)
def fonts(folder: Path = ASSETS) -> tuple[str, ...]:
    """The built files of the fonts that every page needs at once; empty without a build."""
    path = folder / "manifest.json"
    if not path.exists():
        return ()
    manifest = json.loads(path.read_text(encoding="utf-8"))
    found = manifest.get("design/main.css", {}).get("assets", [])
    return tuple(name for name in found if name.endswith(".woff2"))


def asset_url(name: str) -> str:
    """The address of an entry. Without a build the plain name: a 404 in the browser's log is
    clearer than a page that does not come at all."""
    return static(f"sh/{entries().get(name, name)}")
