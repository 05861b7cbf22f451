"""The verb: what is refused, what is written, and that nothing of anybody's is ever lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from toy_packages import manifest, signature, write_toy

import modelwright as mw
from modelwright.building.build import build
from modelwright.cli.app import run
from modelwright.errors import (
    ExportFolderError,
    StorageError,
    TargetError,
    UnknownPackageError,
    UnknownPluginError,
    VariantError,
)
from modelwright.exchange.report import Export
from modelwright.plugins import available

TARGETS = ("kserve", "ray-serve")


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_exporters_are_found_like_a_third_partys():
    assert set(TARGETS) <= set(available("modelwright.exporters"))


@pytest.mark.parametrize("target", TARGETS)
def test_the_report_lists_every_file_and_the_same_export_gives_the_same_bytes(target, toy_wheels, tmp_path):
    done = mw.export(toy_wheels[0], tmp_path / "one", to=target, canary=toy_wheels[1])
    mw.export(toy_wheels[0], tmp_path / "two", to=target, canary=toy_wheels[1])
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert sorted(files(tmp_path / "one")) == sorted([*(file.path for file in done.files), "export.json"])
    said = msgspec.json.decode((tmp_path / "one" / "export.json").read_bytes(), type=Export)
    assert said == msgspec.structs.replace(done, folder="")
    assert str(tmp_path).encode() not in b"".join(files(tmp_path / "one").values())


@pytest.mark.parametrize("target", TARGETS)
def test_what_carries_over_is_said_and_stands_in_the_readme(target, toy_wheels, tmp_path):
    done = mw.export(toy_wheels[0], tmp_path / "out", to=target)
    assert {one.fidelity for one in done.carried} == {"kept", "changed", "lost"}
    readme = (tmp_path / "out" / "README.md").read_text()
    assert [one.feature for one in done.carried if f"| {one.feature} | {one.fidelity} |" not in readme] == []


def test_a_second_export_replaces_the_first_completely(toy_wheels, tmp_path):
    mw.export(toy_wheels[0], tmp_path / "out", to="ray-serve", canary=toy_wheels[1])
    mw.export(toy_wheels[1], tmp_path / "out", to="ray-serve")
    assert [name for name in files(tmp_path / "out") if "1.0.0" in name] == []
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("change", ["changed", "added", "strange"])
def test_what_somebody_wrote_is_never_replaced(change, toy_wheels, tmp_path):
    out = tmp_path / "out"
    if change == "strange":
        out.mkdir()
    else:
        mw.export(toy_wheels[0], out, to="kserve")
    edited = out / ("notes.txt" if change != "changed" else "inferenceservice.yaml")
    edited.write_text("mine")
    with pytest.raises(ExportFolderError) as caught:
        mw.export(toy_wheels[0], out, to="kserve")
    assert edited.read_text() == "mine"
    assert change == "strange" or [problem.item for problem in caught.value.problems] == [edited.name]


def test_a_dry_run_writes_nothing_and_refuses_what_the_real_one_would(toy_wheels, tmp_path):
    done = mw.export(toy_wheels[0], tmp_path / "out", to="kserve", dry_run=True)
    assert done.files
    assert not (tmp_path / "out").exists()
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ExportFolderError):
        mw.export(toy_wheels[0], tmp_path, to="kserve", dry_run=True)


def test_a_folder_that_cannot_be_written_is_said(toy_wheels, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        mw.export(toy_wheels[0], tmp_path / "file" / "out", to="kserve")


def test_unknown_targets_and_packages_are_named(toy_wheels, tmp_path):
    with pytest.raises(UnknownPluginError, match="sagemaker"):
        mw.export(toy_wheels[0], to="sagemaker")
    with pytest.raises(UnknownPackageError):
        mw.export(tmp_path / "nothing.whl", to="kserve")


@pytest.mark.parametrize(
    ("target", "settings", "items"),
    [
        ("ray-serve", {"image": "churn", "namespace": "ml"}, ["--image", "--namespace"]),
        ("kserve", {"workers": 0}, ["--workers"]),
        ("kserve", {"index_url": "file:///models"}, ["--index-url"]),
        ("kserve", {"index_url": "http://[models"}, ["--index-url"]),
        ("ray-serve", {"index_url": "https://me:secret@models.internal/simple/"}, ["--index-url"]),
        ("kserve", {"index_url": "https://models.internal/$(id)\n"}, ["--index-url"]),
        ("kserve", {"image": "Not An Image", "namespace": "Ml_1"}, ["--image", "--namespace"]),
        ("kserve", {"image": "models.internal/churn@sha256:" + "0" * 64}, ["--image"]),
    ],
    ids=str,
)
def test_settings_that_cannot_be_honoured_are_refused_all_at_once(target, settings, items, toy_wheels, tmp_path):
    with pytest.raises(TargetError) as caught:
        mw.export(toy_wheels[0], tmp_path / "out", to=target, **settings)
    assert [problem.item for problem in caught.value.problems] == items
    assert not (tmp_path / "out").exists()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("weight", [0, 100, -1, float("nan"), 0.3])
def test_a_canary_needs_a_share(weight, toy_wheels, tmp_path):
    with pytest.raises(TargetError, match="%"):
        mw.export(toy_wheels[0], tmp_path / "out", to="kserve", canary=toy_wheels[1], canary_weight=weight)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "1.0.0"}, "both are version 1.0.0"),
        ({"version": "2.0.0", "name": "toy-curve", "import_name": "toy_curve"}, "different models"),
        ({"version": "2.0.0", "signature": signature(inputs=[{"name": "z", "datatype": "float64"}])}, "'x'"),
    ],
    ids=["same", "other", "signature"],
)
def test_versions_that_cannot_answer_for_each_other_do_not_share_traffic(changes, said, toy_wheels, tmp_path):
    scenarios = [] if "signature" in changes else None
    other = build(write_toy(tmp_path / "other", scenarios=scenarios, **changes), tmp_path)
    with pytest.raises(VariantError) as caught:
        mw.export(toy_wheels[0], tmp_path / "out", to="ray-serve", canary=other)
    assert any(said in problem.problem for problem in caught.value.problems)


def test_types_that_need_vouching_are_named(tmp_path):
    storage = manifest()["storage"] | {"types": ["churn.Thing"]}
    wheel = build(write_toy(tmp_path / "toy", storage=storage), tmp_path)
    for target in TARGETS:
        done = mw.export(wheel, tmp_path / target, to=target)
        assert any("churn.Thing" in one.note for one in done.carried if one.feature == "trust")


def test_the_command_prints_files_fidelity_and_what_to_do_next(toy_wheels, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(toy_wheels[0], tmp_path)
    assert run(["export", toy_wheels[0].name, "--to", "kserve"]) == 0
    printed = capsys.readouterr()
    assert "toy-line-1.0.0-kserve" in printed.out
    assert "lost" in printed.out
    assert "kubectl apply --filename inferenceservice.yaml" in printed.err
    assert (tmp_path / "toy-line-1.0.0-kserve" / "README.md").is_file()


def test_the_command_gives_json_and_exit_codes(toy_wheels, tmp_path, capsys):
    out = str(tmp_path / "out")
    words = ["export", str(toy_wheels[0]), "--to", "ray-serve", "--output", out, "--json"]
    assert run([*words, "--canary", str(toy_wheels[1]), "--canary-weight", "25"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [one["weight"] for one in said["variants"]] == [75.0, 25.0]
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert run(words) == 4
    assert run([*words, "--namespace", "ml"]) == 2
    assert run(["export", str(toy_wheels[0]), "--to", "sagemaker"]) == 3
