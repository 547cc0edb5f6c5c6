"""The wheel holds what the checkout holds beside the package: the SQL and the demo's data."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=PROJECT, check=True)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        return {Path(name) for name in archive.namelist()}


def files_under(folder, pattern):
    return {path.relative_to(PROJECT / folder) for path in (PROJECT / folder).rglob(pattern)}


def packed_under(folder, wheel_names):
    place = Path("evalstore") / folder
    return {name.relative_to(place) for name in wheel_names if name.is_relative_to(place)}


def test_the_wheel_holds_every_sql_file_and_nothing_else_in_sql(wheel_names):
    assert packed_under("sql", wheel_names) == files_under("sql", "*.sql") != set()


def test_the_wheel_holds_the_demo_data_and_its_licence(wheel_names):
    packed = packed_under("data", wheel_names)
    assert {name for name in packed if name.suffix == ".jsonl"} == files_under("data", "*.jsonl") != set()
    assert {name.stem for name in packed if name.suffix != ".jsonl"} <= {"LICENSE", "README"}


def test_the_wheel_holds_every_module(wheel_names):
    assert packed_under("", wheel_names) >= files_under("evalstore", "*.py") | {Path("py.typed")}
