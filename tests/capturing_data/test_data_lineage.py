"""Where a model comes from is found out without secrets, addresses or guesses."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import modelwright as mw
from modelwright.capturing.lineage import check_references, git_revision, hyperparameters, notebook
from modelwright.errors import SampleError


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PATH": os.environ["PATH"]}
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main"]
        done = subprocess.run(
            ["git", *who, *arguments], cwd=tmp_path, env=quiet, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    run("init")
    (tmp_path / "train.py").write_text("x = 1\n")
    run("add", "train.py")
    run("commit", "-m", "train")
    return run


def test_the_commit_is_named_and_changes_make_it_dirty(git: Callable[..., str], tmp_path: Path) -> None:
    found = git_revision(tmp_path)
    assert found is not None
    assert (found.revision, found.dirty, found.branch) == (git("rev-parse", "HEAD"), False, "main")

    (tmp_path / "untracked.txt").write_text("x")
    assert not git_revision(tmp_path).dirty  # type: ignore[union-attr]
    (tmp_path / "train.py").write_text("x = 2\n")
    assert git_revision(tmp_path).dirty  # type: ignore[union-attr]


def test_the_remote_is_written_without_credentials(git: Callable[..., str], tmp_path: Path) -> None:
    git("remote", "add", "origin", "https://ci:s3cret@git.example.org/team/churn.git")
    found = git_revision(tmp_path)
    assert found is not None
    assert found.remote == "https://git.example.org/team/churn.git"


def test_a_detached_head_has_no_branch(git: Callable[..., str], tmp_path: Path) -> None:
    git("checkout", "--detach")
    assert git_revision(tmp_path).branch == ""  # type: ignore[union-attr]


def test_outside_a_repository_and_without_git_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git_revision(tmp_path / "nowhere") is None
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_revision(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_revision(Path.cwd()) is None


def test_the_notebook_is_found_by_what_its_kernel_says(tmp_path: Path) -> None:
    file = tmp_path / "train.ipynb"
    file.write_text("{}")
    expected = hashlib.sha256(b"{}").hexdigest()
    for namespace, variables in (
        ({"__vsc_ipynb_file__": str(file)}, {}),
        ({"__session__": str(file)}, {}),
        ({}, {"JPY_SESSION_NAME": str(file)}),
    ):
        found = notebook(namespace, variables)
        assert found is not None
        assert (found.name, found.sha256) == ("train.ipynb", expected)


def test_a_script_is_no_notebook(tmp_path: Path) -> None:
    assert notebook({"__file__": "train.py"}, {}) is None
    assert notebook({"__session__": str(tmp_path / "gone.ipynb")}, {"JPY_SESSION_NAME": "kernel-1"}) is None


def double(values: Any) -> Any:
    return 2 * values


class Parametrised:
    def __init__(self, **values: Any) -> None:
        self.values = values

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return self.values


def test_hyperparameters_are_json_whatever_they_are() -> None:
    found = hyperparameters(
        Parametrised(
            b=np.float32(0.5),
            a=float("nan"),
            c=np.arange(3),
            d=np.zeros((100, 100)),
            e=double,
            f=functools.partial(double, 1),
            g=object(),
            h={"x": (1, {"y"})},
            i=list(range(1000)),
            j=np.random.default_rng(0),
        )
    )
    assert list(found) == list("abcdefghij")
    assert found["a"] == "NaN"
    assert found["b"] == 0.5
    assert found["c"] == [0, 1, 2]
    assert found["d"] == "array[100, 100] of float64"
    assert found["e"].endswith(".double")
    assert found["f"].startswith("partial(")
    assert found["g"] == "object"
    assert found["h"] == {"x": [1, ["y"]]}
    assert found["i"] == "list of 1000"
    msgspec.json.encode(found)


def test_no_address_reaches_the_manifest() -> None:
    model = make_pipeline(FunctionTransformer(double), StackingClassifier([("a", LogisticRegression(C=2.0))], n_jobs=1))
    found = hyperparameters(model)
    assert " at 0x" not in msgspec.json.encode(found).decode()
    assert found["stackingclassifier__a__C"] == 2.0
    assert found["stackingclassifier"].endswith("StackingClassifier")
    assert found == hyperparameters(model)


def test_an_object_without_parameters_has_none() -> None:
    assert hyperparameters(double) == {}
    assert hyperparameters(LogisticRegression) == {}


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (mw.DataReference(""), "no URI"),
        (mw.DataReference("postgresql://ann:pw@db/churn"), "credentials"),
        (mw.DataReference("https://h/x.csv?X-Amz-Signature=abc"), "credentials"),
        (mw.DataReference("https://h/x.csv?sig=abc"), "credentials"),
        (mw.DataReference("s3://lake/x", sha256="abc"), "sha256"),
        (mw.DataReference("s3://lake/x", rows=-1), "negative"),
        (mw.DataReference("s3://lake/x", role="train"), "no role"),  # type: ignore[arg-type]
        ("s3://lake/x", "is a str"),
    ],
)
def test_a_data_reference_that_must_not_be_published_is_refused(reference: Any, words: str) -> None:
    with pytest.raises(SampleError) as refused:
        check_references([reference])
    assert words in refused.value.what
    assert "pw" not in str(refused.value)
    assert "abc" not in refused.value.where


def test_a_good_reference_is_taken_as_it_is() -> None:
    good = mw.DataReference("s3://lake/churn.parquet?versionId=3", version="2026-10-01", sha256="0" * 64, rows=10)
    assert check_references([good]) == (good,)
