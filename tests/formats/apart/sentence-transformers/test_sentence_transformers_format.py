"""The sentence-transformers format: live models, and the folders that they save themselves into."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "transformers"))

from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Transformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from tiny_text import SENTENCES, encoder, written

from modelwright.adapters.formats.sentence_transformers import FORMAT
from modelwright.adapters.formats.transformers import FORMAT as TRANSFORMERS
from modelwright.adapters.loaders import transformers_loader
from modelwright.capturing.capture import capture
from modelwright.capturing.opening import open_model
from modelwright.errors import ModelMismatchError, UnsafeFileError
from modelwright.testing import PACKAGE, FormatContract, Trap

ROWS = pd.DataFrame({"text": SENTENCES})


def sentences(folder: Path) -> Any:
    """Return a model of an encoder, the mean over its tokens, a layer and a norm."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = [Transformer(str(written(encoder(), folder)), max_seq_length=16), Pooling(16)]
        return SentenceTransformer(modules=[*parts, Dense(16, 8), Normalize()], device="cpu")


def saved(folder: Path) -> Path:
    sentences(folder / "encoder").save_pretrained(str(folder / "model"), create_model_card=False)
    return folder / "model"


def listed(model: Any, rows: Any) -> Any:
    return model.predict(rows)["embedding"].tolist()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return sentences(tmp_path_factory.mktemp("made") / "encoder")


class TestSentenceTransformers(FormatContract):
    format = FORMAT

    def models(self) -> list[tuple[Any, Any]]:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            model = sentences(Path(folder) / "encoder")
        return [(model, ROWS), (model, [{"review": text} for text in SENTENCES])]

    def foreign(self) -> list[object]:
        return [object(), "text", encoder(), torch.nn.Sequential()]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        folder = saved(artifacts / "whole").rename(artifacts / transformers_loader.FOLDER)
        (folder / "2_Dense" / "model.safetensors").write_bytes(pickle.dumps(Trap(marker)))
        return {"task": "sentences"}

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:
        path = saved(folder)
        return [(path, ROWS, listed(FORMAT.answering(sentences(folder / "again"), ROWS).model, ROWS))]

    def answers(self, model: Any, rows: Any) -> Any:
        return listed(model, rows)


def test_embeddings_are_those_of_the_library(made: Any) -> None:
    found = FORMAT.answering(made, ROWS).model.predict(ROWS)["embedding"]
    assert found.shape == (len(SENTENCES), 8)
    assert np.array_equal(found, made.encode(SENTENCES, show_progress_bar=False))


def test_a_folder_is_of_one_format_only_and_its_weights_travel_byte_by_byte(tmp_path: Path) -> None:
    folder = saved(tmp_path / "saved")
    (folder / "README.md").write_text("# A card")
    assert FORMAT.examine(folder) is not None
    assert TRANSFORMERS.examine(folder) is None
    package = capture(folder, ROWS, name="sentences", version="1.0", to=tmp_path / "models")
    kept = {file.path: file.sha256 for file in package.manifest.artifacts}
    for name in ("model.safetensors", "2_Dense/model.safetensors"):
        assert kept[f"model/{name}"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert "model/README.md" not in kept
    (output,) = package.manifest.signature.outputs
    assert (output.name, output.shape) == ("embedding", (8,))


def with_module(folder: Path, **change: str) -> Path:
    path = folder / "modules.json"
    listed = json.loads(path.read_text())
    listed[2] |= change
    path.write_text(json.dumps(listed))
    return folder


def test_modules_of_its_own_and_folders_elsewhere_are_refused(tmp_path: Path) -> None:
    for number, change in enumerate(({"type": "mine.Layer"}, {"type": "os.mkdir"}, {"path": "../other"})):
        folder = with_module(saved(tmp_path / str(number)), **change)
        with pytest.raises(UnsafeFileError) as caught:
            open_model(folder, sample=ROWS, choice=None, trust=("file",))
        assert caught.value.code == "MW403"
        assert any(next(iter(change.values())) in str(problem) for problem in caught.value.problems)


def test_a_function_of_python_as_activation_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    path = folder / "2_Dense" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"activation_function": "os.getcwd"}))
    with pytest.raises(UnsafeFileError) as caught:
        FORMAT.examine(folder)
    assert any("os.getcwd" in str(problem) for problem in caught.value.problems)


def test_arguments_that_trust_code_are_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    path = folder / "sentence_bert_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_args": {"trust_remote_code": True}}))
    with pytest.raises(UnsafeFileError) as caught:
        FORMAT.examine(folder)
    assert any("trust_remote_code" in str(problem) for problem in caught.value.problems)


def test_weights_of_a_module_in_a_pickle_are_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    (folder / "2_Dense" / "model.safetensors").unlink()
    torch.save({}, folder / "2_Dense" / "pytorch_model.bin")
    with pytest.raises(UnsafeFileError) as caught:
        FORMAT.examine(folder)
    assert "pytorch_model.bin" in caught.value.what


def test_rows_without_one_column_of_text_are_refused(made: Any) -> None:
    with pytest.raises(ModelMismatchError) as caught:
        FORMAT.answering(made, pd.DataFrame({"a": [1, 2]}))
    assert "'text'" in caught.value.hint


OFFLINE = """
import socket, sys
asked = []
def refuse(self, address, *rest):
    asked.append(address)
    raise OSError("the network is not there")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = lambda *where, **how: refuse(None, where)
import importlib.util, json, pathlib
spec = importlib.util.spec_from_file_location("loader", sys.argv[1])
loader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loader)
model = loader.load(pathlib.Path(sys.argv[2]), {"task": "sentences"}, "p", [])
print(json.dumps([asked, model.predict({"text": ["a good movie"]})["embedding"].tolist()]))
"""


def test_the_network_is_never_asked(made: Any, tmp_path: Path) -> None:
    model = FORMAT.answering(made, ROWS).model
    FORMAT.save(model, tmp_path, package=PACKAGE)
    environment = {**os.environ, "HF_HOME": str(tmp_path / "empty")}
    command = [sys.executable, "-c", OFFLINE, str(FORMAT.loader), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[], listed(model, {"text": ["a good movie"]})]
    assert done.stderr == ""


def test_the_weights_of_the_encoder_are_used_from_the_file(made: Any, tmp_path: Path) -> None:
    FORMAT.save(FORMAT.answering(made, ROWS).model, tmp_path, package=PACKAGE)
    loaded: Any = transformers_loader.load(tmp_path, {"task": "sentences"}, PACKAGE, [])
    lines = [line for line in Path("/proc/self/maps").read_text().splitlines() if str(tmp_path) in line]
    spans = [tuple(int(end, 16) for end in line.split()[0].split("-")) for line in lines]
    for name, weight in loaded.model[0].named_parameters():
        assert any(low <= weight.data_ptr() < high for low, high in spans), f"{name} was copied"
