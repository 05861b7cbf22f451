"""The torchscript format: scripted and traced modules, and the files that torch.jit.save writes."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from networks import OneRow, Tabular, Text, answered, seeded, table, texts

from modelwright.adapters.formats.torchscript import FORMAT
from modelwright.adapters.loaders import torch_loader
from modelwright.errors import LoaderError, ModelMismatchError, SerialisationError, UnsafeFileError
from modelwright.testing import FormatContract, Trap


def scripted(module: torch.nn.Module) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(module.eval())


def traced(module: torch.nn.Module, *example: torch.Tensor) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(module.eval(), example)


def saved(module: Any, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(module, str(path))
    return path


def edited(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write an archive again with other members."""
    with zipfile.ZipFile(source) as old:
        parts = {name.partition("/")[2]: old.read(name) for name in old.namelist()}
    change(parts)
    with zipfile.ZipFile(target, "w") as new:
        for name, content in parts.items():
            new.writestr(f"model/{name}", content)
    return target


def listed(answers: Any) -> Any:
    if isinstance(answers, dict):
        return {name: values.tolist() for name, values in answers.items()}
    return answers.tolist()


class Noisy(torch.nn.Module):
    """Makes a tensor on the device of its rows; traced, that is the name of a device in its code."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.ones(4, device=x.device)


class Writing(torch.nn.Module):
    """Writes a file whenever it is asked."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.save(x, "stolen.pt")
        return x


class TestTorchscript(FormatContract):
    format = FORMAT

    def models(self) -> list[tuple[Any, Any]]:
        return [
            (scripted(seeded(Tabular)), table()),
            (traced(seeded(Tabular), torch.ones(2, 4)), pd.DataFrame(table(), columns=list("abcd"))),
            (scripted(seeded(Text)), texts()),
            (traced(seeded(OneRow), torch.ones(1, 4)), table()),
        ]

    def foreign(self) -> list[object]:
        return [object(), "text", {"weight": torch.ones(2)}, seeded(Tabular)]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        def change(parts: dict[str, bytes]) -> None:
            parts["data.pkl"] = pickle.dumps(Trap(marker))

        edited(saved(scripted(seeded(Tabular)), artifacts / "whole.pt"), artifacts / torch_loader.SCRIPT, change)
        (artifacts / "whole.pt").unlink()
        return {"kind": "script", "inputs": [{"name": "x", "dtype": "float32"}], "positional": 1, "one": False}

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:
        rows = table().astype("float32")
        path = saved(scripted(seeded(Tabular)), folder / "tabular.pt")
        return [(path, rows, answered(seeded(Tabular), torch.from_numpy(rows)))]

    def answers(self, model: Any, rows: Any) -> Any:
        return listed(model.predict(rows))


def test_a_module_that_learns_answers_without_being_changed() -> None:
    module = scripted(seeded(Tabular))
    module.train()
    adapted = FORMAT.answering(module, table())
    assert module.training
    wanted = answered(seeded(Tabular), torch.from_numpy(adapted.sample))
    assert np.allclose(adapted.model.predict(adapted.sample), wanted, rtol=1e-5)


def test_what_is_written_is_plain_torchscript_without_examples_and_places(tmp_path: Path) -> None:
    adapted = FORMAT.answering(traced(seeded(Tabular), torch.full((2, 4), 123.5)), table())
    FORMAT.save(adapted.model, tmp_path, package="p")
    path = tmp_path / torch_loader.SCRIPT
    assert str(Path(__file__).parent).encode() not in path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if "traced_inputs" in name or "debug" in name]
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        again = torch.jit.load(str(path))(torch.from_numpy(adapted.sample))
    assert np.array_equal(again.numpy(), adapted.model.predict(adapted.sample))


def test_the_bytes_do_not_depend_on_what_was_scripted_before(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        FORMAT.save(FORMAT.answering(scripted(seeded(Text)), texts()).model, tmp_path / name, package="p")
        scripted(seeded(Text)), traced(seeded(Tabular), torch.ones(2, 4))
    first, second = (tmp_path / name / torch_loader.SCRIPT for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_a_file_saved_on_a_graphics_card_opens_on_the_cpu(tmp_path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        assert b"X\x03\x00\x00\x00cpu" in parts["data.pkl"]
        parts["data.pkl"] = parts["data.pkl"].replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")

    path = edited(saved(scripted(seeded(Tabular)), tmp_path / "cpu.pt"), tmp_path / "cuda.pt", change)
    assert FORMAT.examine(path) is not None
    model = FORMAT.answering(FORMAT.open(path, trust=()), table()).model
    rows = table().astype("float32")
    assert listed(model.predict(rows)) == listed(answered(seeded(Tabular), torch.from_numpy(rows)))


def test_code_that_computes_on_a_graphics_card_is_refused(tmp_path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        code = next(name for name in parts if name.endswith(".py"))
        assert b'"cpu"' in parts[code]
        parts[code] = parts[code].replace(b'"cpu"', b'"cuda:0"')

    path = edited(saved(traced(Noisy(), torch.ones(2, 4)), tmp_path / "cpu.pt"), tmp_path / "cuda.pt", change)
    assert FORMAT.examine(path) is not None
    with pytest.raises(LoaderError) as caught:
        FORMAT.open(path, trust=())
    assert caught.value.code == "MW303"
    assert "model.cpu()" in caught.value.hint


def test_code_that_writes_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved(scripted(Writing()), tmp_path / "writing.pt")
    with pytest.raises(UnsafeFileError) as caught:
        FORMAT.examine(path)
    assert caught.value.code == "MW403"
    assert any("save" in str(problem) for problem in caught.value.problems)
    folder = tmp_path / "artifacts"
    folder.mkdir()
    with pytest.raises(SerialisationError) as refused:
        FORMAT.save(FORMAT.answering(scripted(Writing()), table()).model, folder, package="p")
    assert "files" in refused.value.hint


def test_an_archive_with_a_pickle_of_python_is_refused(tmp_path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts["data.pkl"] = pickle.dumps(Trap(tmp_path / "ran"), protocol=2)

    path = edited(saved(scripted(seeded(Tabular)), tmp_path / "good.pt"), tmp_path / "bad.pt", change)
    with pytest.raises(UnsafeFileError) as caught:
        FORMAT.examine(path)
    assert any("mkdir" in str(problem) for problem in caught.value.problems)
    assert not (tmp_path / "ran").exists()


def test_a_module_traced_for_a_number_of_rows_is_refused() -> None:
    class Three(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.reshape(12).reshape(3, 4)

    with pytest.raises(ModelMismatchError) as caught:
        FORMAT.answering(traced(Three(), torch.ones(3, 4)), table())
    assert caught.value.code == "MW603"
