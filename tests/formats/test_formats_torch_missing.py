"""Files of PyTorch and of Hugging Face are recognised without these libraries, and one line says what installs them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from modelwright.capturing.opening import open_model
from modelwright.errors import MissingExtraError

SAFETENSORS = (2).to_bytes(8, "little") + b"{}"
"""A file of no tensors."""


def exported(folder: Path) -> Path:
    program = {"graph_module": {"graph": {"nodes": []}}, "torch_version": "2.13.0+cpu"}
    config = json.dumps({"config": {}})
    parts = {"models/model.json": json.dumps(program), "archive_format": "pt2", "archive_version": "0"}
    parts |= {f"data/{kind}/model_{kind}_config.json": config for kind in ("weights", "constants")}
    return archived(folder / "a", parts)


def scripted(folder: Path) -> Path:
    return archived(
        folder / "b", {"data.pkl": ")\x2e", "constants.pkl": ")\x2e", "code/__torch__.py": "class Net(Module):"}
    )


def archived(path: Path, parts: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(f"model/{name}", content)
    return path


def transformers(folder: Path) -> Path:
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    (folder / "model.safetensors").write_bytes(SAFETENSORS)
    return folder


def sentences(folder: Path) -> Path:
    (folder / "modules.json").write_text('[{"type": "sentence_transformers.models.Transformer", "path": ""}]')
    return transformers(folder)


@pytest.mark.skipif(find_spec("torch") is not None, reason="the library is here")
@pytest.mark.parametrize(
    ("write", "extra"),
    [
        (exported, 'pip install "modelwright[torch]" torch==2.13.0'),
        (scripted, 'pip install "modelwright[torch]"'),
        (transformers, 'pip install "modelwright[transformers]"'),
        (sentences, 'pip install "modelwright[sentence-transformers]"'),
    ],
)
def test_one_line_says_what_to_install(write: Callable[[Path], Path], extra: str, tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError) as caught:
        open_model(write(tmp_path), sample=[{"a": 1}], choice=None, trust=())
    assert caught.value.code == "MW902"
    assert caught.value.hint == extra
