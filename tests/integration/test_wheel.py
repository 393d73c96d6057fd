"""The wheel holds everything the product needs at run time and nothing of how it is made."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from consent_service.consent.assets import SCRIPTS
from consent_service.consent.texts import built_in_languages
from tests.architecture import ROOT

MADE_WITH = (
    "src/",
    "node_modules/",
    "package.json",
    "package-lock.json",
    "build.mjs",
    "tsconfig.json",
    ".npmrc",
)

# What the per-site bundle is made of.
PARTS = ("core.js", "dialog.js", "signals.js", "layouts.json")


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the source archive, as an index would hand it out."""
    place = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", place, cwd=ROOT)
    (archive,) = place.glob("*.tar.gz")
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        place,
        archive,
        cwd=place,
    )
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel where the checkout cannot be seen; the libraries are those of the running tests."""
    place = tmp_path_factory.mktemp("elsewhere")
    venv.create(place, with_pip=False)
    target = place / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", target, wheel, cwd=place)
    (target / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "bin" / "python"


def test_the_wheel_holds_client_console_migrations_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    client = {f"consent_service/static/{name}" for name in (*SCRIPTS.values(), *(f"consent.{part}" for part in PARTS))}
    others = {"py.typed", "cli/__init__.py", "ledger/verifier/verify.py", "ledger/verifier/verify.html"}
    assert client | {f"consent_service/{name}" for name in others} <= names
    words = {f"consent_service/consent/languages/{language}.toml" for language in built_in_languages()}
    assert words <= names
    migrations = {f"consent_service/{path.relative_to(ROOT)}" for path in (ROOT / "migrations").rglob("*.py")}
    assert migrations <= names
    templates = {str(path.relative_to(ROOT)) for path in (ROOT / "consent_service").rglob("*.html")}
    assert templates <= names


def test_the_wheel_holds_nothing_of_how_the_client_is_made_and_no_top_level_module(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"consent_service"}
    inner = [name.removeprefix("consent_service/static/") for name in names if "/static/" in name]
    assert [name for name in inner if name.startswith(MADE_WITH)] == []


def test_the_installed_package_finds_its_own_files(elsewhere: Path, tmp_path: Path) -> None:
    code = "from consent_service.resources import data_dir; print(data_dir('static'), data_dir('migrations'))"
    for found in run(elsewhere, "-c", code, cwd=tmp_path).split():
        assert Path(found).is_relative_to(elsewhere.parent.parent)
        assert Path(found).parent.name == "consent_service"


def test_the_installed_command_tells_its_version(elsewhere: Path, wheel: Path, tmp_path: Path) -> None:
    code = "import consent_service.cli as cli, sys; sys.argv = ['consent-service', '--version']; cli.main()"
    assert wheel.name.split("-")[1] in run(elsewhere, "-c", code, cwd=tmp_path)
