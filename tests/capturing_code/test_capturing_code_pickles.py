"""Pickles are read without being executed, in every protocol and compression, and opened only if that is safe."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import sys
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from modelwright.capturing.opcodes import read_globals
from modelwright.capturing.opening import open_model
from modelwright.capturing.saved import import_file, open_saved, reviewed
from modelwright.errors import LoaderError, PinError, SourceError, UnsafeFileError
from modelwright.testing import Trap

ROWS = np.random.default_rng(0).normal(size=(40, 3))
LABELS = (ROWS[:, 0] > 0).astype(int)
COMPRESSIONS: list[Any] = [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)]


@pytest.fixture(scope="module")
def models() -> list[Any]:
    return [
        model.fit(ROWS, LABELS)
        for model in (
            make_pipeline(StandardScaler(), LogisticRegression()),
            RandomForestClassifier(3, random_state=0),
            HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5),
            KNeighborsClassifier(algorithm="ball_tree"),
        )
    ]


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=str)
def test_joblib_files_are_read_to_their_end_through_any_compression(
    models: list[Any], compression: Any, tmp_path: Path
) -> None:
    # An object array is a pickle within the pickle, and one more array follows it.
    content = [*models, np.array(["a", None], object), np.arange(5), np.asfortranarray(ROWS), Counter("ab")]
    joblib.dump(content, tmp_path / "model.bin", compress=compression)
    with (tmp_path / "model.bin").open("rb") as stream:
        report = read_globals(stream)
    assert report.problem == ""
    assert "collections.Counter" in report.globals
    assert report.versions["scikit-learn"]
    assert report.compression == (compression[0] if compression else "")
    assert report.arrays >= 10


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_gives_the_same_names(models: list[Any], protocol: int) -> None:
    report = read_globals(io.BytesIO(pickle.dumps(models[0], protocol)))
    assert report.problem == ""
    assert {"sklearn.pipeline.Pipeline", "sklearn.linear_model._logistic.LogisticRegression"} <= set(report.globals)
    assert set(report.globals) <= reviewed()


HOSTILE = {
    "a called global": b"cos\nsystem\n(S'id'\ntR.",
    "an instance opcode": b"(S'id'\nios\nsystem\n.",
    "an object opcode": b"(cos\nsystem\nS'id'\no.",
    "names from the stack": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.",
    "names from the memo": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94K\x00h\x00h\x01\x93\x8c\x02id\x85R.",
    "a name of Python 2": b"c__builtin__\neval\n(S'1'\ntR.",
    "a nested attribute": b"\x80\x04\x8c\x09sklearn.x\x8c\x09os.system\x93\x8c\x02id\x85R.",
    "a class called by newobj": b"\x80\x02csubprocess\nPopen\nU\x02id\x85\x81.",
    "a file that breaks off after the call": b"cos\nsystem\n(S'id'\ntR(((",
    "a persistent identity": b"Psome-id\n.",
    "an extension code": b"\x80\x02\x82\x01.",
    "two pickles in one": pickle.dumps(1)[:-1] + b"cos\nsystem\n(S'id'\ntR.",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pickles_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(content)
    with pytest.raises(UnsafeFileError) as caught:
        open_saved(tmp_path / "model.pkl")
    assert caught.value.problems
    assert "trust='file'" in caught.value.hint


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.skops", "model"])
@pytest.mark.parametrize("write", [pickle.dump, joblib.dump], ids=["pickle", "joblib"])
def test_a_reduce_that_runs_a_command_is_never_run_unless_vouched_for(name: str, write: Any, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with (tmp_path / name).open("wb") as stream:
        write({"array": np.arange(3), "trap": Trap(marker)}, stream)
    with pytest.raises(UnsafeFileError) as caught:
        open_saved(tmp_path / name)
    assert not marker.exists()
    assert any(f"{os.mkdir.__module__}.mkdir would be called" in str(problem) for problem in caught.value.problems)
    open_saved(tmp_path / name, trust="file")
    assert marker.exists()


def test_single_names_can_be_vouched_for(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Trap(marker)))
    with pytest.raises(UnsafeFileError):
        open_saved(tmp_path / "model.pkl", trust=["os.mkdir"] if os.mkdir.__module__ != "os" else ["os.rmdir"])
    open_saved(tmp_path / "model.pkl", trust=[f"{os.mkdir.__module__}.mkdir"])
    assert marker.exists()


@pytest.mark.parametrize("compression", [0, ("gzip", 1)], ids=str)
def test_a_safe_model_opens_and_answers_as_before(models: list[Any], compression: Any, tmp_path: Path) -> None:
    for model in models:
        joblib.dump(model, tmp_path / "model.pkl", compress=compression)
        assert open_saved(tmp_path / "model.pkl").predict(ROWS).tolist() == model.predict(ROWS).tolist()
    (tmp_path / "plain.joblib").write_bytes(pickle.dumps(models[0]))
    assert open_saved(str(tmp_path / "plain.joblib")).predict(ROWS).tolist() == models[0].predict(ROWS).tolist()


def test_a_function_of_the_users_own_must_be_vouched_for(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(test_every_protocol_gives_the_same_names))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    with pytest.raises(UnsafeFileError, match="could run code"):
        open_saved(tmp_path / "model.pkl")


def test_a_model_of_another_version_is_refused_before_it_is_loaded(models: list[Any], tmp_path: Path) -> None:
    content = pickle.dumps(models[0])
    version = read_globals(io.BytesIO(content)).versions["scikit-learn"]
    other = "0" * len(version) if len(version) < 5 else "0.9.9"[: len(version)].ljust(len(version), "9")
    (tmp_path / "model.pkl").write_bytes(content.replace(version.encode(), other.encode()))
    with pytest.raises(PinError, match=f"scikit-learn {other}") as caught:
        open_saved(tmp_path / "model.pkl")
    assert caught.value.hint == f"pip install scikit-learn=={other}"


@pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04", b"\x80\x05"], ids=repr)
def test_what_is_no_pickle_says_so(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(content)
    with pytest.raises(LoaderError):
        open_saved(tmp_path / "model.pkl")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(LoaderError, match="cannot be opened"):
        open_saved(tmp_path / "none.pkl")


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_truncated_pickle_is_never_complete(data: st.DataObject) -> None:
    content = pickle.dumps([OrderedDict(a=1), np.arange(4), {"x": (1, 2.0, "t", None, {3}, frozenset({4}))}])
    cut = data.draw(st.integers(0, len(content) - 1))
    assert read_globals(io.BytesIO(content[:cut])).problem


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ),
    st.integers(0, 5),
)
@settings(max_examples=100, deadline=None)
def test_plain_data_reads_to_its_end_and_names_only_what_the_opcodes_name(value: Any, protocol: int) -> None:
    content = pickle.dumps(value, protocol)
    report = read_globals(io.BytesIO(content))
    assert report.problem == ""
    named = {str(a).replace(" ", ".") for o, a, _ in pickletools.genops(content) if o.name == "GLOBAL"}
    assert len(report.globals) == len(named)


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_give_a_report_and_never_an_exception(content: bytes) -> None:
    report = read_globals(io.BytesIO(content))
    assert report.problem or content.rstrip()


def test_a_python_file_is_imported_with_its_neighbours_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "zz_scorer.py").write_text("import zz_near\n\n\ndef predict(rows):\n    return zz_near.TWO\n")
    (tmp_path / "zz_near.py").write_text("TWO = 2\n")
    module = import_file(tmp_path / "zz_scorer.py")
    assert module.predict([]) == 2
    assert import_file(tmp_path / "zz_scorer.py") is module


def test_a_python_file_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "zz_broken.py").write_text("raise ZeroDivisionError('oh')\n")
    with pytest.raises(SourceError) as caught:
        import_file(tmp_path / "zz_broken.py")
    assert caught.value.why == "ZeroDivisionError: oh"


@pytest.mark.parametrize("name", ["model.onnx", "model.pt", "model.keras", "weights.npy", "model.ubj", "notes.txt"])
def test_what_is_in_a_file_decides_and_not_its_name(tmp_path: Path, name: str) -> None:
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    (tmp_path / name).write_bytes(pickle.dumps(model))
    opened = open_model(tmp_path / name, sample=None, choice=None, trust=())
    assert opened.asked.predict([[2.0]]).tolist() == pytest.approx([4.0])
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    with pytest.raises(UnsafeFileError):
        open_model(tmp_path / name, sample=None, choice=None, trust=())


def test_an_array_and_a_text_are_no_models(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "text.pkl").write_text("a,b\n1,2\n")
    for name in ("array.npy", "text.pkl"):
        with pytest.raises(LoaderError, match="no pickle"):
            open_model(tmp_path / name, sample=None, choice=None, trust=())
