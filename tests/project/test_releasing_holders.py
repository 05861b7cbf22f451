"""Every place that says the version is found without executing anything, and nothing else in the files changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.errors import ProjectError, ReleaseError, StorageError
from modelwright.project.releasing.holders import find_holders, rewritten
from modelwright.project.releasing.replacing import replaced

PLACES = {
    "pyproject.toml": """# ours
[project]
version   = "1.0.0"  # said

[tool.poetry]
version = '1.0.0'
name = "x"
""",
    "setup.cfg": """[options]
version = 9

[metadata]
name = x
version = 1.0.0  # said
license = MIT

[bdist]
version = 8
""",
    "setup.py": """import sys
from setuptools import setup
sys.exit('executed')
setup(name='é', version='1.0.0')  # said
""",
    "x/__init__.py": '"""X 1.0.0."""\n__version__: str = "1.0.0"\n',
    "x/_version.py": "__version__ = u'''1.0.0'''\r\n",
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    return root


def find(root: Path) -> dict[str, str]:
    found = find_holders(root, root / "x")
    return {f"{holder.path.relative_to(root).as_posix()}:{holder.line}": holder.version for holder in found}


@pytest.mark.parametrize("name", PLACES)
def test_only_the_version_of_a_file_changes(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: PLACES[name]})
    new = rewritten(find_holders(tmp_path, tmp_path / "x"), "1.1.0rc1")
    spoken = 'version = "1.1.0rc1"' if name == "pyproject.toml" else ""
    expected = PLACES[name].replace("version = '1.0.0'", spoken) if spoken else PLACES[name]
    for before in ('"1.0.0"', "'1.0.0'", "'''1.0.0'''", "= 1.0.0"):
        expected = expected.replace(before, before.replace("1.0.0", "1.1.0rc1"))
    assert new == {tmp_path / name: expected.encode()}


def test_all_places_are_found_with_their_lines(tmp_path: Path) -> None:
    places = find(write(tmp_path, PLACES))
    assert set(places.values()) == {"1.0.0"}
    assert set(places) == {"pyproject.toml:0", "setup.cfg:6", "setup.py:4", "x/__init__.py:2", "x/_version.py:1"}


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": '[project]\ndynamic = ["version"]\n'},
        {"setup.cfg": "[metadata]\nversion = attr: x.__version__\n"},
        {"setup.cfg": "[metadata]\nname = x\n[options]\nversion = 1.0.0\n"},
        {"setup.py": "setup(version=open('VERSION').read())\n"},
        {"setup.py": "setup(name='x')\n"},
        {"x/__init__.py": "from importlib.metadata import version\n__version__ = version('x')\n"},
        {"x/__init__.py": "def f():\n    __version__ = '1.0.0'\n"},
    ],
)
def test_a_version_that_is_computed_or_said_elsewhere_is_no_place(tmp_path: Path, files: dict[str, str]) -> None:
    assert find(write(tmp_path, files)) == {}


def test_a_name_in_setup_py_is_followed(tmp_path: Path) -> None:
    write(tmp_path, {"setup.py": "VERSION = '1.0.0'\nsetuptools.setup(version=VERSION)\n"})
    assert find(tmp_path) == {"setup.py:1": "1.0.0"}
    (content,) = rewritten(find_holders(tmp_path, tmp_path / "x"), "2.0").values()
    assert content == b"VERSION = '2.0'\nsetuptools.setup(version=VERSION)\n"


def test_places_that_disagree_are_refused_with_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, PLACES | {"setup.py": "setup(\n    version='0.9',\n)\n"})
    with pytest.raises(ReleaseError, match="several versions") as caught:
        find(tmp_path)
    told = [str(problem) for problem in caught.value.problems]
    assert f"{tmp_path / 'setup.py'}:2: version is '0.9'" in told
    assert f"{tmp_path / 'pyproject.toml'}: project.version is '1.0.0'" in told


def test_the_same_version_in_another_spelling_agrees(tmp_path: Path) -> None:
    write(tmp_path, PLACES | {"setup.py": "setup(version='v1.0')\n"})
    assert set(find(tmp_path).values()) == {"1.0.0", "v1.0"}


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        ({"x/__init__.py": "__version__ = '1'\n__version__ = '1'\n"}, ReleaseError, "more than once"),
        ({"x/__init__.py": "__version__ = '1.' '0'\n"}, ReleaseError, "cannot be replaced"),
        ({"x/__init__.py": "__version__ = 'one'\n"}, ReleaseError, "not a version"),
        ({"x/__init__.py": "__version__ = \n"}, ProjectError, "not Python"),
        ({"setup.py": "print 'x'\n"}, ProjectError, "not Python"),
        ({"setup.cfg": "version = 1\n"}, ProjectError, "cannot be read"),
        ({"setup.cfg": "[metadata]\nversion =\n  1.0.0\n"}, ReleaseError, "cannot be found"),
        ({"pyproject.toml": "[project\n"}, ProjectError, "cannot be read"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(
    tmp_path: Path, files: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        find(write(tmp_path, files))


def test_files_are_replaced_together_and_keep_their_mode(tmp_path: Path) -> None:
    write(tmp_path, {"a": "old"})
    (tmp_path / "a").chmod(0o640)
    with replaced({tmp_path / "a": b"new", tmp_path / "b": b"made"}):
        assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("broken", ["folder", "nowhere/b"])
def test_when_one_file_cannot_be_written_all_stay_as_they_were(tmp_path: Path, broken: str) -> None:
    write(tmp_path, {"a": "old", "folder/x": ""})
    with (
        pytest.raises(StorageError, match="cannot be written"),
        replaced({tmp_path / "a": b"new", tmp_path / broken: b""}),
    ):
        raise AssertionError("the block must not begin")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "folder"]


def test_when_the_block_fails_all_is_put_back(tmp_path: Path) -> None:
    write(tmp_path, {"a": "old"})
    with pytest.raises(KeyboardInterrupt), replaced({tmp_path / "a": b"new", tmp_path / "b": b"made"}):
        raise KeyboardInterrupt
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]
