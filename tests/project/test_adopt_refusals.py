"""What cannot be adopted is refused with file, line and fix; what was there before is there afterwards."""

from __future__ import annotations

import os
import pickle
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from legacy_projects import finding, written

from modelwright.errors import AdoptError, ModelwrightError, NameVersionError, StorageError
from modelwright.project.adopting.adopt import adopt, write
from modelwright.project.adopting.declared import Declared
from modelwright.project.adopting.pyproject import comments, propose

SETUP = "from setuptools import setup\nsetup(name='churn', version='1.0', packages=['churn'])\n"


def small(folder: Path, **more: str) -> Path:
    named = {name.replace("__", "/"): text for name, text in more.items()}
    return written(folder, {"setup.py": SETUP, "churn/__init__.py": "", **named})


@pytest.mark.parametrize(
    ("files", "message", "where"),
    [
        ({"notes.txt": "x"}, "no project here", ""),
        ({"pyproject.toml": "[project\n"}, r"pyproject\.toml cannot be read", "pyproject.toml"),
        ({"pyproject.toml": "project = 1\n"}, "is not a table", "pyproject.toml"),
        ({"pyproject.toml": "[tool.flit.metadata]\nmodule = 'a'\n"}, "before PEP 621", "tool.flit.metadata"),
        ({"setup.py": SETUP, "main.py": ""}, "no import package", ""),
        ({"setup.py": "from setuptools import setup\nsetup(packages=['a'])", "a/__init__.py": ""}, "no name", ""),
        (
            {"pyproject.toml": '[project]\nname = "x"\nversion = "1"\n', "a/__init__.py": "", "b/__init__.py": ""},
            "2 packages",
            "",
        ),
        (
            {"pyproject.toml": '[tool.poetry]\nname="a"\n[tool.poetry.dependencies]\nb = "^1 || ^2"\n'},
            "one or another",
            "b",
        ),
    ],
)
def test_what_is_no_project_is_refused(tmp_path, files, message, where):
    written(tmp_path, files)
    with pytest.raises(AdoptError, match=message) as caught:
        adopt(tmp_path, running="nothing")
    assert where in caught.value.where
    assert caught.value.hint


@pytest.mark.parametrize(
    "line",
    [
        "version = 1",
        'authors = "Ann"',
        'dependencies = ["not a requirement"]',
        'dependencies = "numpy"',
        'scripts = ["a"]',
        'optional-dependencies = {a = ["!"]}',
        'requires-python = "three"',
        'entry-points = {a = "b"}',
        "readme = 1",
    ],
)
def test_malformed_project_tables_are_refused_by_field(tmp_path, line):
    written(tmp_path, {"pyproject.toml": f'[project]\nname = "a"\n{line}\n', "a/__init__.py": ""})
    with pytest.raises(AdoptError) as caught:
        adopt(tmp_path, running="nothing")
    assert "pyproject.toml" in caught.value.where


@pytest.mark.parametrize("keyword", ["version=1", "keywords=3", "packages=3", "classifiers=[1]", "author=['a']"])
def test_odd_values_in_setup_py_are_taken_or_refused(tmp_path, keyword):
    small(tmp_path)
    (tmp_path / "setup.py").write_text(f"from setuptools import setup\nsetup(name='churn', {keyword})\n")
    try:
        report = adopt(tmp_path, running="nothing")
    except AdoptError as error:
        assert error.where  # noqa: PT017
    else:
        assert tomllib.loads(report.changes[0].text)["project"]["name"] == "churn"


def test_a_folder_that_is_missing_empty_or_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for name, message in (("none", "no project folder"), ("file", "no project folder"), ("empty", "is empty")):
        with pytest.raises(AdoptError, match=message):
            adopt(tmp_path / name)


def test_a_name_that_an_index_refuses_is_refused(tmp_path):
    small(tmp_path, setup_py="")
    (tmp_path / "setup.py").write_text(SETUP.replace("'churn'", "'churn model!'", 1))
    with pytest.raises(NameVersionError):
        adopt(tmp_path, running="nothing")
    report = adopt(tmp_path, running="nothing", name="churn", package="churn")
    assert tomllib.loads(report.changes[0].text)["project"]["name"] == "churn"


def test_two_packages_are_chosen_from(tmp_path):
    document = '[project]\nname = "x"\nversion = "1"\n'
    written(tmp_path, {"pyproject.toml": document, "one/__init__.py": "", "two/__init__.py": ""})
    assert adopt(tmp_path, running="nothing", package="two").package == "two"
    with pytest.raises(AdoptError, match="no package 'three'"):
        adopt(tmp_path, running="nothing", package="three")


def test_what_only_running_can_tell_is_named_and_taken_from_the_backend_when_allowed(tmp_path):
    computed = "import time\nfrom setuptools import setup\nsetup(name='churn', version=str(len(time.tzname)) + '.5',"
    small(tmp_path)
    (tmp_path / "setup.py").write_text(computed + " packages=['churn'], install_requires=['numpy>=1'])\n")
    with pytest.raises(AdoptError, match="version cannot be read") as caught:
        adopt(tmp_path, running="nothing")
    assert caught.value.where.endswith("setup.py, line 3")
    assert "--run-setup" in caught.value.hint
    report = adopt(tmp_path, running="metadata")
    table = tomllib.loads(report.changes[0].text)["project"]
    assert (table["version"], table["dependencies"]) == ("2.5", ["numpy>=1"])
    assert report.package == "churn"


def test_backends_say_their_versions_in_their_own_ways(tmp_path):
    system = '[build-system]\nrequires = []\nbuild-backend = "{}"\n[project]\nname = "{}"\ndynamic = {}\n'
    cases = {
        "flit": system.format("flit_core.buildapi", "notes", '["version", "description"]'),
        "setuptools": system.format("setuptools.build_meta", "notes", '["version", "dependencies"]')
        + '[tool.setuptools.dynamic]\nversion = {attr = "notes.__version__"}\ndependencies = {file = "deps.txt"}\n',
        "pdm": system.format("pdm.backend", "notes", '["version"]')
        + '[tool.pdm.version]\nsource = "file"\npath = "notes/__init__.py"\n',
        "git": system.format("hatchling.build", "notes", '["version"]') + '[tool.hatch.version]\nsource = "vcs"\n',
    }
    found = {}
    for name, text in cases.items():
        module = '"""Takes notes.\n\nMore."""\n__version__ = "0.3"\n'
        written(tmp_path / name, {"pyproject.toml": text, "notes/__init__.py": module, "deps.txt": "numpy>=1\n"})
        report = adopt(tmp_path / name, running="nothing")
        found[name] = tomllib.loads(report.changes[0].text)["project"]
    assert {name: table.get("version") for name, table in found.items()} == {
        "flit": "0.3",
        "setuptools": "0.3",
        "pdm": "0.3",
        "git": None,
    }
    assert found["flit"]["description"] == "Takes notes."
    assert found["setuptools"]["dependencies"] == ["numpy>=1"]
    assert found["git"]["dynamic"] == ["version", "dependencies"]


def test_what_only_chooses_files_need_not_be_known(tmp_path):
    small(tmp_path)
    (tmp_path / "setup.py").write_text("import os\n" + SETUP.replace("packages", "package_data=os.walk('x'), packages"))
    report = adopt(tmp_path, running="nothing")
    [note] = [each.what for each in report.findings if each.severity == "note"]
    assert note == "package_data cannot be read without running the project (os.walk() would have to be called)."


def test_setup_py_is_not_executed_without_a_build(tmp_path):
    small(tmp_path)
    (tmp_path / "setup.py").write_text("open('ran', 'w').close()\n" + SETUP)
    assert adopt(tmp_path, running="nothing").version == "1.0"
    assert adopt(tmp_path, running="build").version == "1.0"  # in a copy
    assert not (tmp_path / "ran").exists()


def test_a_project_that_does_not_build_is_said_to(tmp_path):
    small(tmp_path)
    (tmp_path / "setup.py").write_text(SETUP + "raise RuntimeError('not today')\n")
    report = adopt(tmp_path)
    [said] = [each for each in report.findings if each.severity == "blocks"]
    assert "does not build" in said.what
    assert "not today" in said.why
    assert str(tmp_path) not in said.why
    assert not report.sound


def test_code_that_captured_models_would_hide_blocks(tmp_path):
    small(tmp_path, churn__model_py="")
    (tmp_path / "churn/model.py").write_text("X = 1\n")
    assert (
        "git mv churn/model.py churn/modeling.py" in finding(adopt(tmp_path, running="nothing"), "churn/model.py").fix
    )


def test_python_2_in_the_package_and_links_out_of_it_block(tmp_path):
    small(tmp_path / "p")
    (tmp_path / "p/churn/old.py").write_text("print 'x'\n")
    (tmp_path / "outside.csv").write_text("a\n")
    (tmp_path / "p/churn/rows.csv").symlink_to(tmp_path / "outside.csv")
    report = adopt(tmp_path / "p", running="nothing")
    old = finding(report, "churn/old.py", "blocks")
    assert (old.what, "line 1" in old.why) == ("The file is not Python 3.", True)
    assert "symbolic link" in finding(report, "churn/rows.csv", "blocks").what


def test_a_saved_model_is_found_by_content_and_never_loaded(tmp_path):
    class Steals:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'stolen'}",)

    small(tmp_path)
    (tmp_path / "churn/weights.dat").write_bytes(pickle.dumps(Steals()))
    (tmp_path / "churn/picture.pkl").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    report = adopt(tmp_path, running="nothing")
    [model] = report.models
    assert (model.path, model.unreviewed) == ("churn/weights.dat", ("posix.system",))
    assert not (tmp_path / "stolen").exists()


def test_the_next_command_is_as_complete_as_the_training_code(tmp_path):
    small(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rows.csv").write_text("a,b,left\n1,2,0\n")
    (tmp_path / "train.py").write_text(
        "import pickle\nimport pandas as pd\ndf = pd.read_csv('data/rows.csv')\ny = df.pop('left')\n"
        "pickle.dump(M().fit(df, y), open('churn/m.pkl', 'wb'))\n"
    )
    assert adopt(tmp_path, running="nothing").next[1:3] == ("python train.py", "modelwright adopt .")
    from sklearn.linear_model import LinearRegression

    (tmp_path / "churn/m.pkl").write_bytes(pickle.dumps(LinearRegression()))
    assert adopt(tmp_path, running="nothing").next == (
        "modelwright adopt . --write",
        "modelwright capture churn/m.pkl --sample data/rows.csv --target left --name churn --version 1.0 --to .",
        "modelwright build .",
    )


def test_changes_are_written_all_or_none(tmp_path):
    setup = SETUP.replace("packages", "scripts=['go.py'], packages")
    small(tmp_path, go_py="")
    (tmp_path / "setup.py").write_text(setup)
    (tmp_path / "go.py").write_text("def main():\n    print(1)\n\n\nmain()\n")
    report = adopt(tmp_path, running="nothing")
    assert [each.path for each in report.changes] == [
        "pyproject.toml",
        "churn/scripts/__init__.py",
        "churn/scripts/go.py",
    ]
    (tmp_path / "pyproject.toml.d").mkdir()
    before = sorted(path for path in tmp_path.rglob("*"))
    (tmp_path / "churn/scripts").write_text("a file in the way")
    with pytest.raises(ModelwrightError):
        write(report)
    (tmp_path / "churn/scripts").unlink()
    assert sorted(path for path in tmp_path.rglob("*")) == before
    done = write(report)
    assert done.written
    assert (tmp_path / "churn/scripts/go.py").read_text() == (tmp_path / "go.py").read_text()
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_full_disk_leaves_the_old_state(tmp_path):
    from modelwright.project.adopting.changes import apply
    from modelwright.project.adopting.report import Change

    (tmp_path / "a").write_text("old")
    (tmp_path / "b").mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(StorageError, match="cannot be written"):
        apply(tmp_path, [Change(path=name, diff="", text="new") for name in ("a", "new/c", "b")])
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path):
    report = adopt(small(tmp_path), running="nothing")
    (tmp_path / "pyproject.toml").write_text("# mine\n")
    with pytest.raises(AdoptError, match="changed while"):
        write(report)
    assert (tmp_path / "pyproject.toml").read_text() == "# mine\n"


WORDS = st.text("abcdefg #'\"", max_size=10).map(lambda text: text.replace('"', "").replace("'", ""))


@settings(max_examples=30)
@given(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=4), WORDS)
def test_comments_survive_wherever_they_stand(above, beside, value):
    lines = [f"# {text}" for text in above]
    lines += ["[build-system]", "requires = ["]
    lines += [f'  "x{n}",  # {text}' for n, text in enumerate(beside)]
    lines += [
        "]",
        'build-backend = "x"  # which',
        "",
        "[project]",
        f'description = "{value}"  # what',
        'license = {text = "MIT"} # l',
    ]
    old = "\n".join(lines) + "\n"
    new = propose(old, Declared("project", table={"license": "MIT", "version": "1"}), name="churn", package="churn")
    assert sorted(comments(new)) == sorted(comments(old))
    assert tomllib.loads(new)["project"]["description"] == value
