"""Files of boosted models are known where none of their libraries is installed, and damaged ones never reach them."""

from __future__ import annotations

import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import modelwright as mw
from modelwright.adapters.formats import cbm, lightgbm_text, ubjson
from modelwright.capturing.formats import format_named
from modelwright.errors import LoaderError, MissingExtraError

FILES = Path(__file__).parents[1] / "data" / "boosters"
"""Written by XGBoost 3.2.0, LightGBM 4.7.0 and CatBoost 1.2.10."""
ROWS = [{"age": 41.0, "plan": "pro"}, {"age": 35.5, "plan": "basic"}]

KNOWN = [
    ("tiny.ubj", "xgboost", "XGBoost model in UBJSON", {"xgboost": "3.2.0"}),
    ("tiny.json", "xgboost", "XGBoost model in JSON", {"xgboost": "3.2.0"}),
    ("tiny.txt", "lightgbm", "LightGBM model in text, format v4", {}),
    ("tiny.cbm", "catboost", "CatBoost model", {"catboost": "1.2.10"}),
]


@pytest.mark.parametrize(("name", "form", "kind", "versions"), KNOWN)
def test_a_file_is_known_without_its_library(name: str, form: str, kind: str, versions: Any, tmp_path: Path) -> None:
    assert find_spec(form) is None, "this environment is without boosters"
    renamed = tmp_path / "model.pkl"
    renamed.write_bytes((FILES / name).read_bytes())
    for each in ("xgboost", "lightgbm", "catboost"):
        report = format_named(each).examine(renamed)  # type: ignore[attr-defined]
        if each != form:
            assert report is None
            continue
        assert (report.kind, report.versions, report.requires) == (kind, versions, (form,))


@pytest.mark.parametrize(("name", "form", "kind", "versions"), KNOWN)
def test_one_line_installs_what_is_missing(name: str, form: str, kind: str, versions: Any, tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="not installed") as refused:
        mw.capture(FILES / name, ROWS, name="boosted", version="1.0", to=tmp_path)
    pins = "".join(f" {library}=={version}" for library, version in versions.items())
    assert refused.value.hint == f'pip install "modelwright[{form}]"{pins}'
    assert kind in refused.value.what


@pytest.mark.parametrize(("name", "form", "kind", "versions"), KNOWN)
def test_a_file_is_damaged_wherever_it_is_cut(name: str, form: str, kind: str, versions: Any, tmp_path: Path) -> None:
    content, cut = (FILES / name).read_bytes(), tmp_path / "cut"
    whole = len(content.rstrip())
    for size in {*range(40, whole, 9), *range(whole - 40, whole)}:
        if name == "tiny.txt" and content[:size].rstrip().endswith(b"end of parameters"):
            continue  # whole for a model without categories: other languages write no more
        cut.write_bytes(content[:size])
        with pytest.raises(LoaderError, match="cut off or damaged"):
            format_named(form).examine(cut)  # type: ignore[attr-defined]


@given(st.binary(max_size=200), st.integers(0, 5000))
def test_forged_bytes_give_one_kind_of_error(noise: bytes, place: int) -> None:
    for name, read, error in (
        ("tiny.ubj", ubjson.read, ubjson.UbjsonError),
        ("tiny.txt", lightgbm_text.read, lightgbm_text.TextError),
        ("tiny.cbm", cbm.read, cbm.CbmError),
    ):
        content = (FILES / name).read_bytes()
        at = place % len(content)
        for forged in (content[:at] + noise + content[at + len(noise) :], content[:8] + noise, noise):
            try:
                read(forged)
            except error:
                continue


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "cut off"),
        (b"[" * 100, "too deep"),
        (b"{L" + struct.pack(">q", 2**62) + b"a", "cut off"),
        (b"{L" + struct.pack(">q", -1) + b"a", "no length"),
        (b"[$l#L" + struct.pack(">q", 2**40), "cut off"),
        (b"[$l]", "without a count"),
        (b"[$Z#L" + struct.pack(">q", 2**40), "constants"),
        (b"{U\x01\xffZ}", "not UTF-8"),
        (b"Q", "begins no value"),
        (b"ZZ", "follow its end"),
    ],
)
def test_ubjson_that_is_none_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(ubjson.UbjsonError, match=why):
        ubjson.read(content)


def test_ubjson_is_read_in_all_of_its_types() -> None:
    content = b"[iaU\xc8I\x01\x00l\x00\x00\x00\x01D" + struct.pack(">d", 0.1) + b"d" + struct.pack(">f", 0.5)
    content += b"SU\x02\xc3\xa9CaTFZ[$i#U\x02\x01\xff{$U#U\x01U\x01n\x07[]]"
    read = ubjson.read(content)
    assert read[:11] == [97, 200, 256, 1, 0.1, 0.5, "é", "a", True, False, None]
    assert read[11].values() == [1, -1]
    assert read[12:] == [{"n": 7}, []]


def test_a_model_of_catboost_with_more_behind_its_end_is_refused() -> None:
    with pytest.raises(cbm.CbmError, match="follow its end"):
        cbm.read((FILES / "tiny.cbm").read_bytes() + b"more")


def test_a_model_of_lightgbm_says_what_it_was_trained_with() -> None:
    text = lightgbm_text.read((FILES / "tiny.txt").read_bytes())
    assert text.categories == [["basic", "pro", "team"]]
    assert text.parameters["num_leaves"] == "3"
    assert text.header["feature_names"] == "age plan"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("max_feature_idx=1", "max_feature_idx=x", "leads out of the tree"),
        ("num_leaves=3", "num_leaves=" + "9" * 30, "does not begin"),
        ("tree_sizes=", "tree_sizes=x ", "no sizes"),
        ('[["basic"', "[" * 100_000, "categories"),
        ('[["basic", "pro", "team"]]', '{"a": 1}', "no lists"),
        ("\nparameters:\n", "\nparameter:\n", "behind its trees"),
    ],
)
def test_text_of_lightgbm_that_was_forged_is_refused(old: str, new: str, why: str) -> None:
    content = (FILES / "tiny.txt").read_text()
    assert old in content
    with pytest.raises(lightgbm_text.TextError, match=why):
        lightgbm_text.read(content.replace(old, new, 1).encode())


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"version":[3,2,0]', '"version":["3"]', "no version"),
        ('"gradient_booster":{', '"gradient":{', "no booster"),
        ('"version":[3,2,0]', '"version":' + "[" * 100_000, "cut off"),
    ],
)
def test_json_of_xgboost_that_was_forged_is_refused(old: str, new: str, why: str, tmp_path: Path) -> None:
    content = (FILES / "tiny.json").read_text()
    assert old in content
    (tmp_path / "forged.json").write_text(content.replace(old, new, 1))
    with pytest.raises(LoaderError) as refused:
        format_named("xgboost").examine(tmp_path / "forged.json")  # type: ignore[attr-defined]
    assert why in refused.value.why or why in refused.value.what
