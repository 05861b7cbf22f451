"""The torch format: weights and the class that they belong to; and the pickles of torch.save, which are refused."""

from __future__ import annotations

import io
import multiprocessing
import pickle
import re
import tarfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from networks import Branching, Tabular, Text, answered, seeded, table, texts
from torch import nn

from modelwright.adapters.formats.torch import FORMAT
from modelwright.adapters.loaders import torch_loader
from modelwright.capturing.capture import capture
from modelwright.capturing.opening import open_model
from modelwright.errors import LoaderError, SerialisationError, UnsafeFileError
from modelwright.testing import PACKAGE, FormatContract, Trap


class Classifier(nn.Module):
    """Answers rows itself, with labels."""

    def __init__(self, labels: list[str]) -> None:
        super().__init__()
        self.labels, self.layer = labels, nn.Linear(4, len(labels))

    def predict(self, rows: Any) -> list[str]:
        scores = self.layer(torch.tensor(np.asarray(rows), dtype=torch.float32))
        return [self.labels[place] for place in scores.argmax(1).tolist()]


class Configured(nn.Module):
    """Keeps its arguments in a config."""

    def __init__(self, width: int, depth: int = 1) -> None:
        super().__init__()
        self.config = {"width": width, "depth": depth}
        self.layers = nn.ModuleList([nn.Linear(4 if not place else width, width) for place in range(depth)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class Forgetful(nn.Module):
    """Does not keep its arguments."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(4, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


class Changed(nn.Module):
    """Answers otherwise after its constructor was called than it was changed to."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.scale = nn.Linear(4, 1), 1.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) * self.scale


def listed(answers: Any) -> Any:
    if isinstance(answers, dict):
        return {name: values.tolist() for name, values in answers.items()}
    return answers.tolist() if hasattr(answers, "tolist") else answers


class TestTorch(FormatContract):
    format = FORMAT

    def models(self) -> list[tuple[Any, Any]]:
        return [
            (seeded(Branching), table()),
            (seeded(Branching), pd.DataFrame(table(), columns=list("abcd"))),
            (seeded(Text), texts()),
            (seeded(Tabular, hidden=3), table()),
            (seeded(Classifier, labels=["no", "yes", "perhaps"]), table()),
            (seeded(nn.Linear, in_features=4, out_features=2), table()),
        ]

    def foreign(self) -> list[object]:
        return [object(), "text", {"weight": torch.ones(2)}, torch.ones(2), nn.Linear]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        (artifacts / torch_loader.WEIGHTS).write_bytes(pickle.dumps(Trap(marker)))
        return {"kind": "weights", "module": "os", "class": "mkdir", "arguments": {"path": str(marker)}}

    def answers(self, model: Any, rows: Any) -> Any:
        return listed(model.predict(rows))


def test_a_network_that_cannot_be_exported_is_captured_with_the_code_of_its_class(tmp_path: Path) -> None:
    package = capture(seeded(Branching, width=4, scale=3.0), table(), name="branching", version="1.0", to=tmp_path)
    storage = package.manifest.storage
    assert (storage.format, storage.options["arguments"]) == ("torch", {"width": 4, "scale": 3.0})
    assert storage.options["module"] == "branching.networks"
    assert sorted(file.path for file in package.manifest.artifacts) == [torch_loader.WEIGHTS]


def test_the_reason_why_it_was_not_exported_is_told() -> None:
    given = open_model(seeded(Branching), sample=table(), choice=None, trust=())
    assert given.format is FORMAT
    assert given.note.startswith("torch-export cannot hold it: Could not guard on data-dependent expression")


def test_a_network_that_answers_rows_itself_keeps_its_own_predict() -> None:
    given = open_model(seeded(Classifier, labels=["no", "yes"]), sample=table(), choice=None, trust=())
    assert given.format is FORMAT
    assert given.asked.predict(table())[0] in ("no", "yes")


def test_arguments_are_found_in_attributes_and_in_a_config() -> None:
    adapted = FORMAT.answering(seeded(Configured, width=5, depth=2), table())
    assert adapted.model.options["arguments"] == {"width": 5, "depth": 2}


def test_an_argument_that_is_not_known_is_asked_for_by_name() -> None:
    with pytest.raises(SerialisationError) as caught:
        FORMAT.answering(seeded(Forgetful, width=3), table())
    assert caught.value.code == "MW604"
    assert caught.value.hint == "Keep it in the constructor: self.width = width."


def test_a_network_that_its_class_does_not_make_again_is_refused() -> None:
    module = seeded(Changed)
    module.scale = 5.0
    with pytest.raises(SerialisationError) as caught:
        FORMAT.answering(module, table())
    assert "answers otherwise" in caught.value.what
    with pytest.raises(SerialisationError) as refused:
        FORMAT.answering(nn.Sequential(nn.Linear(4, 2)), table())
    assert "constructor" in refused.value.hint


def test_the_callers_module_is_left_as_it_was_and_its_weights_are_not_copied() -> None:
    module = seeded(Branching)
    again = FORMAT.answering(module, table()).model.module
    assert module.training
    assert module.layer.weight.requires_grad
    assert again.layer.weight.data_ptr() == module.layer.weight.data_ptr()
    assert not again.training


def test_making_it_again_does_not_touch_the_random_numbers_of_the_process(tmp_path: Path) -> None:
    saved = FORMAT.save(FORMAT.answering(seeded(Tabular), table()).model, tmp_path, package=PACKAGE)
    torch.manual_seed(7)
    expected = torch.rand(1).item()
    torch.manual_seed(7)
    torch_loader.load(tmp_path, saved.options, PACKAGE, [])
    assert torch.rand(1).item() == expected


def test_tied_weights_are_stored_once_and_tied_again(tmp_path: Path) -> None:
    saved = FORMAT.save(FORMAT.answering(seeded(Text), texts()).model, tmp_path, package=PACKAGE)
    assert saved.options["shared"] == {"out.weight": "embed.weight"}
    loaded = torch_loader.load(tmp_path, saved.options, PACKAGE, []).module
    assert loaded.out.weight.data_ptr() == loaded.embed.weight.data_ptr()


def test_a_class_of_another_library_must_be_vouched_for(tmp_path: Path) -> None:
    saved = FORMAT.save(FORMAT.answering(seeded(Branching), table()).model, tmp_path, package="another_package")
    assert saved.types == ("networks.Branching",)


class Big(nn.Module):
    """Eight million weights, and code that no export can follow."""

    def __init__(self, width: int = 2000) -> None:
        super().__init__()
        self.width, self.layers = width, nn.ModuleList([nn.Linear(width, width) for _ in range(2)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x) if x.sum() < 1e30 else -x
        return x


def _load_and_ask(folder: str, options: dict[str, Any], answers: Any, proceed: Any) -> None:
    """Load in a process of its own, use every weight, and tell how much of the file is mapped, shared and private."""
    model: Any = torch_loader.load(Path(folder), options, "networks", [])
    model.predict(np.ones((1, 2000), dtype="float32"))
    answers.put("ready")
    proceed.wait(60)
    text = Path("/proc/self/smaps").read_text()
    blocks = [block for block in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", text) if folder in block.partition("\n")[0]]
    kept = {
        key: sum(int(found) for block in blocks for found in re.findall(rf"^{key}:\s+(\d+) kB", block, re.M))
        for key in KEYS
    }
    answers.put(kept)
    proceed.wait(60)


KEYS = ("Rss", "Pss", "Private_Dirty")


@pytest.mark.parametrize("kind", ["weights", "program"])
@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells how memory is shared")
def test_two_processes_share_the_weights(kind: str, tmp_path: Path) -> None:
    from modelwright.adapters.formats.torch_export import FORMAT as EXPORT

    form, module = (FORMAT, seeded(Big)) if kind == "weights" else (EXPORT, nn.Sequential(*seeded(Big).layers))
    options = form.save(form.answering(module, np.ones((3, 2000))).model, tmp_path, package="networks").options
    if kind == "weights":
        options |= {"module": __name__}
    size_kb = next(tmp_path.iterdir()).stat().st_size // 1024
    spawning = multiprocessing.get_context("spawn")
    with spawning.Manager() as manager:
        answers, proceed = manager.Queue(), manager.Event()
        both = [
            spawning.Process(target=_load_and_ask, args=(str(tmp_path), options, answers, proceed)) for _ in range(2)
        ]
        for each in both:
            each.start()
        assert [answers.get(timeout=120) for _ in both] == ["ready", "ready"]
        proceed.set()
        seen = [answers.get(timeout=120) for _ in both]
        for each in both:
            each.join(60)
    for kept in seen:
        assert kept["Rss"] > size_kb * 0.9, "the weights are not used from the file"
        assert kept["Private_Dirty"] < size_kb * 0.05, "the weights were copied"
        assert kept["Pss"] < kept["Rss"] * 0.75, "the weights are not shared"


# Files of torch.save


def written(value: object, path: Path, **how: Any) -> Path:
    torch.save(value, path, **how)
    return path


def old_tar(path: Path, pickled: bytes) -> Path:
    """Write the container of torch before 0.2."""
    with tarfile.open(path, "w") as archive:
        for name, content in (("sys_info", b""), ("pickle", pickled), ("tensors", b""), ("storages", b"")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_a_pickled_module_is_refused_whatever_container_it_is_in_and_whoever_vouches(tmp_path: Path) -> None:
    module, trap = seeded(Tabular), Trap(tmp_path / "ran")
    paths = [
        written(module, tmp_path / "zip.pt"),
        written(module, tmp_path / "legacy.pth", _use_new_zipfile_serialization=False),
        written({"weights": torch.ones(2), "more": trap}, tmp_path / "trap.ckpt"),
        written(trap, tmp_path / "old-trap.pt", _use_new_zipfile_serialization=False),
        old_tar(tmp_path / "older.pt", pickle.dumps(trap)),
    ]
    for path in paths:
        with pytest.raises(UnsafeFileError) as caught:
            open_model(path, sample=table(), choice=None, trust=("file",))
        assert caught.value.code == "MW403"
        assert any(re.search(r"Tabular|mkdir", str(problem)) for problem in caught.value.problems), path.name
        assert "capture the live module" in caught.value.hint
    assert not (tmp_path / "ran").exists()


def test_bare_weights_are_known_and_it_is_told_how_to_capture_them(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = seeded(Tabular).state_dict()
    save_file(state, tmp_path / "bare.safetensors")
    paths = [
        written(state, tmp_path / "zip.pt"),
        written(state, tmp_path / "legacy.pt", _use_new_zipfile_serialization=False),
        written({"epoch": 3, "model": state, "lr": 0.1, "kind": torch.bfloat16}, tmp_path / "checkpoint.ckpt"),
        tmp_path / "bare.safetensors",
    ]
    for path in paths:
        report = FORMAT.examine(path)
        assert report is not None, path.name
        assert report.kind == "PyTorch state_dict"
        with pytest.raises(LoaderError) as caught:
            open_model(path, sample=table(), choice=None, trust=())
        assert caught.value.code == "MW303"
        assert "load_state_dict" in caught.value.hint


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    for number, new in enumerate((True, False)):
        whole = written(seeded(Big).state_dict(), tmp_path / f"{number}.pt", _use_new_zipfile_serialization=new)
        half = tmp_path / f"half-{number}.pt"
        half.write_bytes(whole.read_bytes()[: 300 if not new else whole.stat().st_size // 2])
        with pytest.raises((LoaderError, UnsafeFileError)):
            open_model(half, sample=table(), choice=None, trust=())


def test_nothing_is_printed_and_nothing_warned(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_model(seeded(Branching), sample=table(), choice=None, trust=())
    assert capfd.readouterr() == ("", "")


def test_it_answers_as_the_module_does() -> None:
    adapted = FORMAT.answering(seeded(Branching), table())
    wanted = answered(seeded(Branching), torch.from_numpy(adapted.sample))
    assert np.array_equal(adapted.model.predict(adapted.sample), wanted)
