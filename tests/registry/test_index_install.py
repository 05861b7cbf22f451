"""The lines that are printed are run by real pip and uv, beside a stranger with a higher version of every name."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from small_indexes import Wheel, command, installers, serving, write_index
from uv import find_uv_bin

from modelwright.registry.index.install import InstallLines, companions, install_lines
from modelwright.registry.projects import Project, Release


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("installers")
    found = installers(folder)
    return found | {"PATH": f"{Path(find_uv_bin()).parent}:{found['PATH']}", "UV_PYTHON": sys.executable}


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory):
    """Ours with a model and its weights; a public one with strangers of the same names, and the library."""
    ours, public = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("public")
    model = Wheel("churn", "1.3.0", requires=("churn-weights==1.2.0", "library"))
    write_index(ours, [model, Wheel("churn-weights", "1.2.0")])
    strangers = [
        Wheel(name, version, "stranger's")
        for name in ("churn", "churn-weights")
        for version in ("1.3.0", "1.2.0", "99.0")
    ]
    write_index(public, [*strangers, Wheel("library", "1.0", "public")])
    with serving(ours) as one, serving(public) as other:
        yield one.url, f"{other.url}simple/"


@pytest.fixture(scope="module")
def lines(indexes) -> InstallLines:
    return install_lines(
        indexes[0], name="churn", version="1.3.0", companions=("churn-weights==1.2.0",), command="churn"
    )


def bash(environment: dict[str, str], text: str, folder: Path, public: str) -> str:
    """Run printed lines as a user whose usual index is the public one."""
    known = environment | {"PIP_INDEX_URL": public, "UV_DEFAULT_INDEX": public}
    code, said = command(known, "bash", "-ec", text, cwd=folder)
    assert code == 0, said
    return said


def whose(folder: Path) -> dict[str, str]:
    found = {}
    for name in ("churn", "churn_weights", "library"):
        (path,) = folder.rglob(f"{name}.py")
        found[name] = re.findall(r"WHOSE = .(\w+)", path.read_text())[0]
    return found


OURS = {"churn": "ours", "churn_weights": "ours", "library": "public"}


def test_pip_lines_install_ours_and_the_public_library(lines, indexes, environment, tmp_path) -> None:
    bash(environment, lines.pip.replace("pip install", "pip install --target target"), tmp_path, indexes[1])
    assert whose(tmp_path / "target") == OURS


def test_uv_lines_install_ours_and_the_public_library(lines, indexes, environment, tmp_path) -> None:
    head = '[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.11"\n\n'
    (tmp_path / "pyproject.toml").write_text(head + lines.uv + "\n")
    bash(environment, lines.uv_add, tmp_path, indexes[1])
    assert whose(tmp_path / ".venv") == OURS


def test_uvx_lines_run_ours(lines, indexes, environment, tmp_path) -> None:
    # pip itself is not on these two indexes: the one beside the tests does.
    said = bash(environment, lines.uvx.replace("uvx pip", "pip"), tmp_path, indexes[1])
    assert "ours 1.3.0" in said


def test_weights_that_are_only_required_indirectly_would_be_a_stranger_s(indexes, environment, tmp_path) -> None:
    """Why companions are direct dependencies: measured, and to be noticed if uv changes."""
    alone = install_lines(indexes[0], name="churn", version="1.3.0")
    head = '[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.11"\n\n'
    (tmp_path / "pyproject.toml").write_text(head + alone.uv + '\nchurn-weights = { index = "models" }\n')
    bash(environment, alone.uv_add, tmp_path, indexes[1])
    assert whose(tmp_path / ".venv") == OURS | {"churn_weights": "stranger"}


def test_pip_lines_fail_closed_when_the_registry_has_no_such_release(indexes, environment, tmp_path) -> None:
    missing = install_lines(indexes[0], name="churn", version="99.0")
    code, _ = command(environment | {"PIP_INDEX_URL": indexes[1]}, "bash", "-c", missing.pip, cwd=tmp_path)
    assert code != 0


@pytest.mark.parametrize("proxies", [True, False])
@pytest.mark.parametrize("stage", ["", "production"])
def test_no_line_ever_names_a_second_index(proxies, stage) -> None:
    lines = install_lines("https://m.example/", name="churn", stage=stage, proxies_upstream=proxies, command="churn")
    text = "\n".join((lines.uv, lines.uv_add, lines.pip, lines.uvx, lines.docker))
    assert "extra-index-url" not in text
    assert "unsafe" not in text
    url = f"https://m.example/{stage + '/' if stage else ''}simple/"
    assert lines.pip.count("--index-url") == 1
    assert set(re.findall(r"https://[^\s\"]+", text)) == {url}


def test_registry_that_proxies_needs_one_step() -> None:
    lines = install_lines("https://m.example", name="churn", version="1.3.0", proxies_upstream=True, command="churn")
    assert lines.pip == "pip install --index-url https://m.example/simple/ churn==1.3.0"
    assert lines.docker == "RUN pip install --no-cache-dir --index-url https://m.example/simple/ churn==1.3.0"
    assert lines.uvx == "uvx --default-index https://m.example/simple/ --from churn==1.3.0 churn predict rows.csv"


def test_uv_block_is_toml_and_explicit() -> None:
    lines = install_lines("https://m.example", name="churn", stage="dev", companions=("churn-weights==1.2.0",))
    block = tomllib.loads(lines.uv)["tool"]["uv"]
    assert block["index"] == [{"name": "models-dev", "url": "https://m.example/dev/simple/", "explicit": True}]
    assert block["sources"] == {name: {"index": "models-dev"} for name in ("churn", "churn-weights")}
    assert lines.uvx == ""


def test_awkward_places_are_quoted_for_the_shell(tmp_path) -> None:
    lines = install_lines("file:///tmp/my models;touch x/", name="churn", version="1!2.0", command="churn")
    said = subprocess.run(
        ["bash", "-c", "pip() { printf '%s\\n' \"$@\"; }\n" + lines.pip.splitlines()[0]],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    ).stdout.splitlines()
    assert "file:///tmp/my models;touch x/simple/" in said
    assert said[-1] == "churn==1!2.0"


def test_companions_are_what_the_registry_itself_has() -> None:
    requires = ["Churn.Weights==1.2.0", "numpy>=2", "teamtools[fast]>=1; python_version>'3'", "teamtools[fast]>=1"]
    assert companions(requires, {"churn-weights", "teamtools"}) == ("churn-weights==1.2.0", "teamtools>=1")


def test_lines_of_a_release_know_its_weights() -> None:
    from modelwright.registry.index.install import lines_for

    release = Release(version="1.3.0", created="", publisher="", requires=("churn-weights==1.2.0", "numpy"))
    project = Project(name="churn", kind="model", created="", serial=1, releases=(release,))
    lines = lines_for(
        "https://m.example", project, version="1.3.0", proxies_upstream=False, local={"churn", "churn-weights"}
    )
    assert lines.uv_add == "uv add churn==1.3.0 churn-weights==1.2.0"
    assert lines.uvx.endswith("churn predict rows.csv")
