"""Files of sample rows are read as what they are, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from modelwright.capturing.samples import read_sample
from modelwright.capturing.table import Table
from modelwright.errors import DataFileError, ModelwrightError, SampleError

FRAME = pd.DataFrame({"age": [41, 35], "plan": ["basic", None]})
ROWS = [{"age": 41, "plan": "basic"}, {"age": 35, "plan": None}]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    FRAME.to_csv(tmp_path / "rows.csv", index=False)
    FRAME.to_parquet(tmp_path / "rows.parquet", index=False)
    (tmp_path / "rows.json").write_text('[{"age": 41, "plan": "basic"}, {"age": 35, "plan": null}]')
    (tmp_path / "rows.jsonl").write_text('{"age": 41, "plan": "basic"}\n{"age": 35}\n')
    (tmp_path / "columns.json").write_text('{"age": [41, 35], "plan": ["basic", null]}')
    (tmp_path / "marked.csv").write_bytes(b"\xef\xbb\xbfage,plan\n41,basic\n35,\n")
    return tmp_path


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows.json", "rows.jsonl", "columns.json", "marked.csv"])
def test_every_kind_of_file_gives_the_same_rows(files: Path, name: str) -> None:
    assert Table.of(read_sample(files / name)).rows([0, 1]) == ROWS


@pytest.mark.parametrize(
    ("container", "kind"),
    [("pandas", pd.DataFrame), ("polars", pl.DataFrame), ("pyarrow", pa.Table), (None, pd.DataFrame)],
)
@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_a_table_is_read_into_what_the_model_was_trained_on(
    files: Path, name: str, container: str | None, kind: type
) -> None:
    assert type(read_sample(files / name, container=container)) is kind


def test_an_array_is_read_for_a_model_trained_on_arrays(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3,4\n")
    found = read_sample(str(tmp_path / "x.csv"), container="numpy")
    assert isinstance(found, np.ndarray)
    assert found.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("gone.csv", None, DataFileError, "no such file"),
        ("rows.xlsx", b"PK", DataFileError, "Rows are not read from .xlsx"),
        ("rows", b"a\n1\n", DataFileError, "without a suffix"),
        ("rows.csv", b"", SampleError, "empty"),
        ("rows.csv", b"a,b,a\n1,2,3\n", SampleError, "'a' occurs 2 times"),
        ("rows.csv", b"a\xff\n1\n", DataFileError, "not CSV in UTF-8"),
        ("rows.csv", b'a,b\n1,2,3\n"', DataFileError, "pandas cannot read"),
        ("rows.parquet", b"PAR1 but not really", DataFileError, "pandas cannot read"),
        ("rows.json", b"[{", DataFileError, "not JSON"),
        ("rows.jsonl", b"{}\n{", DataFileError, "not JSONL"),
        ("rows.json", b"[1, 2]", DataFileError, "no rows"),
        ("rows.json", b'{"a": 1}', DataFileError, "no rows"),
    ],
)
def test_a_file_that_holds_no_rows_is_refused(
    tmp_path: Path, name: str, content: bytes | None, error: type[ModelwrightError], words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error) as refused:
        read_sample(tmp_path / name)
    assert words in refused.value.what
    assert name in refused.value.where


def test_arrays_of_numpy_are_read_as_they_are(tmp_path: Path) -> None:
    images = np.arange(24.0, dtype="float32").reshape(2, 3, 4)
    np.save(tmp_path / "images.npy", images)
    np.savez(tmp_path / "tensors.npz", images=images, age=np.array([41, 35]))
    read = read_sample(tmp_path / "images.npy")
    assert read.dtype == images.dtype
    assert (read == images).all()
    tensors = read_sample(tmp_path / "tensors.npz")
    assert {name: values.shape for name, values in tensors.items()} == {"images": (2, 3, 4), "age": (2,)}


@pytest.mark.parametrize("name", ["trap.npy", "trap.npz", "cut.npy", "empty.npz"])
def test_a_pickle_in_an_array_is_not_opened_and_a_cut_file_is_refused(tmp_path: Path, name: str) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path(tmp_path / "ran").mkdir, ()

    trap = np.array([Trap()], dtype=object)
    {"npy": np.save, "npz": np.savez}[name[-3:]](tmp_path / name, trap, allow_pickle=True)
    if not name.startswith("trap"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[: 9 if name.startswith("cut") else 0])
    with pytest.raises(DataFileError, match="no array"):
        read_sample(tmp_path / name)
    assert not (tmp_path / "ran").exists()
