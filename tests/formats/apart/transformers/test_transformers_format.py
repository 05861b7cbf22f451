"""The transformers format: live pipelines, and folders that save_pretrained writes."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_text import SENTENCES, classifier, encoder, tokenizer, written
from transformers import DistilBertForMaskedLM, DistilBertForQuestionAnswering, pipeline

from modelwright.adapters.formats.transformers import FORMAT
from modelwright.adapters.loaders import transformers_loader
from modelwright.capturing.capture import capture
from modelwright.capturing.opening import open_model
from modelwright.errors import LoaderError, ModelMismatchError, SerialisationError, UnsafeFileError
from modelwright.testing import PACKAGE, FormatContract, Trap

ROWS = pd.DataFrame({"text": SENTENCES})


def classifying(model: Any = None) -> Any:
    return pipeline("text-classification", model=model or classifier(), tokenizer=tokenizer())


def embedding() -> Any:
    return pipeline("feature-extraction", model=encoder(), tokenizer=tokenizer())


def listed(model: Any, rows: Any) -> Any:
    found = model.predict(rows)
    if isinstance(found, dict):
        return {name: values.tolist() for name, values in found.items()}
    return [found.tolist(), model.predict_proba(rows).tolist()]


class TestTransformers(FormatContract):
    format = FORMAT

    def models(self) -> list[tuple[Any, Any]]:
        return [
            (classifying(), ROWS),
            (
                classifying(classifier(problem_type="multi_label_classification")),
                [{"text": text} for text in SENTENCES],
            ),
            (classifying(classifier(("score",), problem_type="regression")), {"review": SENTENCES}),
            (embedding(), np.array(SENTENCES).reshape(-1, 1)),
        ]

    def foreign(self) -> list[object]:
        return [object(), "text", encoder(), tokenizer()]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        folder = written(classifier(), artifacts / transformers_loader.FOLDER)
        (folder / "model.safetensors").write_bytes(pickle.dumps(Trap(marker)))
        return {"task": "classification", "class": "DistilBertForSequenceClassification", "labels": []}

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:
        whole, base = written(classifier(), folder / "classifier"), written(encoder(), folder / "encoder")
        return [
            (whole, ROWS, listed(FORMAT.answering(classifying(), ROWS).model, ROWS)),
            (base, ROWS, listed(FORMAT.answering(embedding(), ROWS).model, ROWS)),
        ]

    def answers(self, model: Any, rows: Any) -> Any:
        return listed(model, rows)


def test_labels_and_probabilities_are_those_of_the_librarys_own_pipeline() -> None:
    live = classifying()
    model = FORMAT.answering(live, ROWS).model
    wanted = [{each["label"]: each["score"] for each in told} for told in live(SENTENCES, top_k=None)]
    assert list(model.classes_) == ["bad", "neutral", "good"]
    assert model.predict(ROWS).tolist() == [max(told, key=told.__getitem__) for told in wanted]
    for found, told in zip(model.predict_proba(ROWS), wanted, strict=True):
        assert np.allclose(found, [told[name] for name in model.classes_], atol=1e-6)


def test_an_embedding_is_the_mean_over_the_tokens() -> None:
    model = FORMAT.answering(embedding(), ROWS).model
    tokens = tokenizer()(SENTENCES[0], return_tensors="pt")
    with torch.inference_mode():
        wanted = encoder()(**tokens).last_hidden_state[0].mean(0).numpy()
    assert np.allclose(model.predict(ROWS)["embedding"][0], wanted, atol=1e-5)


def test_weights_travel_byte_by_byte_and_what_is_not_needed_stays_behind(tmp_path: Path) -> None:
    folder = written(classifier(), tmp_path / "hub")
    (folder / "README.md").write_text("# A card")
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(tmp_path / "ran")))
    package = capture(folder, ROWS, name="reviews", version="1.0", to=tmp_path / "models")
    kept = {file.path: file.sha256 for file in package.manifest.artifacts}
    assert sorted(kept) == [
        f"model/{name}" for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    ]
    assert kept["model/model.safetensors"] == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert {output.name for output in package.manifest.signature.outputs} == {"prediction", "probability"}
    assert not (tmp_path / "ran").exists()


def changed(folder: Path, name: str, **more: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | more))
    return folder


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("config.json", {"auto_map": {"AutoModel": "modeling_mine.Net"}}),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["tokenization_mine.Mine", None]}}),
        ("config.json", {"custom_pipelines": {"mine": {"impl": "mine.Mine"}}}),
        ("config.json", {"attn_implementation": "somebody/kernels"}),
        ("config.json", {"quantization_config": {"quant_method": "gptq"}}),
        ("tokenizer_config.json", {"vocab_file": "/etc/passwd"}),
    ],
)
def test_settings_that_bring_code_or_read_elsewhere_are_refused(
    name: str, more: dict[str, Any], tmp_path: Path
) -> None:
    folder = changed(written(classifier(), tmp_path / "hub"), name, **more)
    with pytest.raises(UnsafeFileError) as caught:
        open_model(folder, sample=ROWS, choice=None, trust=("file",))
    assert caught.value.code == "MW403"
    assert any(next(iter(more)) in str(problem) for problem in caught.value.problems)


def test_code_beside_the_model_is_refused(tmp_path: Path) -> None:
    folder = written(classifier(), tmp_path / "hub")
    (folder / "modeling_mine.py").write_text("import os")
    with pytest.raises(UnsafeFileError) as caught:
        FORMAT.examine(folder)
    assert any("modeling_mine.py" in str(problem) for problem in caught.value.problems)


def test_weights_in_a_pickle_are_refused_with_how_to_convert_them(tmp_path: Path) -> None:
    folder = written(classifier(), tmp_path / "hub")
    (folder / "model.safetensors").unlink()
    torch.save(classifier().state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(UnsafeFileError) as caught:
        FORMAT.examine(folder)
    assert "save_pretrained" in caught.value.hint


def test_a_pickle_in_disguise_and_weights_that_are_cut_off_are_refused(tmp_path: Path) -> None:
    folder = written(classifier(), tmp_path / "hub")
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(pickle.dumps(Trap(tmp_path / "ran")))
    with pytest.raises(UnsafeFileError) as caught:
        FORMAT.examine(folder)
    assert "no safetensors" in str(caught.value.problems[0])
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(LoaderError) as cut:
        FORMAT.examine(folder)
    assert cut.value.code == "MW303"
    assert not (tmp_path / "ran").exists()


def test_weights_that_are_missing_are_not_made_up(tmp_path: Path) -> None:
    folder = changed(
        written(encoder(), tmp_path / "hub"), "config.json", architectures=["DistilBertForSequenceClassification"]
    )
    with pytest.raises(LoaderError) as caught:
        FORMAT.open(folder, trust=())
    assert "weights are missing: classifier" in caught.value.why


def test_another_task_is_refused_with_a_way_out(tmp_path: Path) -> None:
    folder = written(DistilBertForQuestionAnswering(encoder().config), tmp_path / "hub")
    with pytest.raises(LoaderError) as caught:
        FORMAT.open(folder, trust=())
    assert "predict(rows, models)" in caught.value.hint
    live = pipeline("fill-mask", model=DistilBertForMaskedLM(encoder().config), tokenizer=tokenizer())
    with pytest.raises(SerialisationError) as refused:
        FORMAT.answering(live, ROWS)
    assert "FillMaskPipeline" in refused.value.what


def test_rows_without_one_column_of_text_are_refused() -> None:
    for rows in (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": ["x"], "b": ["y"]})):
        with pytest.raises(ModelMismatchError) as caught:
            FORMAT.answering(classifying(), rows)
        assert "'text'" in caught.value.hint


def test_any_text_may_come_however_few_the_sample_has(tmp_path: Path) -> None:
    rows = pd.DataFrame({"review": ["good", "bad", "good", "bad"] * 20})
    package = capture(classifying(), rows, name="reviews", version="1.0", to=tmp_path)
    (field,) = package.manifest.signature.inputs
    assert field.categories is None
    assert {output.name: output.atol for output in package.manifest.signature.outputs} == {
        "prediction": 0.0,
        "probability": 1e-5,
    }


def test_long_and_empty_texts_are_answered() -> None:
    model = FORMAT.answering(classifying(), ROWS).model
    assert model.predict_proba({"text": ["cat " * 500, "", None]}).shape == (3, 3)


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
model = loader.load(pathlib.Path(sys.argv[2]), json.loads(sys.argv[3]), "p", [])
print(json.dumps([asked, model.predict({"text": ["a good movie"]}).tolist()]))
"""


def test_the_network_is_never_asked(tmp_path: Path) -> None:
    model = FORMAT.answering(classifying(), ROWS).model
    saved = FORMAT.save(model, tmp_path, package=PACKAGE)
    command = [sys.executable, "-c", OFFLINE, str(FORMAT.loader), str(tmp_path), json.dumps(saved.options)]
    # The cache of the hub is elsewhere, so that nothing can come from there either.
    environment = {**os.environ, "HF_HOME": str(tmp_path / "empty")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[], model.predict({"text": ["a good movie"]}).tolist()]
    assert done.stderr == ""


def test_the_weights_are_used_from_the_file(tmp_path: Path) -> None:
    saved = FORMAT.save(FORMAT.answering(classifying(), ROWS).model, tmp_path, package=PACKAGE)
    loaded: Any = transformers_loader.load(tmp_path, saved.options, PACKAGE, [])
    mapped = Path("/proc/self/maps").read_text()
    assert str(tmp_path / "model" / "model.safetensors") in mapped
    begins = [int(line.split("-")[0], 16) for line in mapped.splitlines() if line.endswith("model.safetensors")]
    ends = [
        int(line.split("-")[1].split()[0], 16) for line in mapped.splitlines() if line.endswith("model.safetensors")
    ]
    for name, weight in loaded.model.named_parameters():
        assert any(b <= weight.data_ptr() < e for b, e in zip(begins, ends, strict=True)), f"{name} was copied"


def test_where_a_model_came_from_is_not_told(tmp_path: Path) -> None:
    folder = changed(written(classifier(), tmp_path / "hub"), "config.json", _name_or_path="/home/somebody/secret")
    (tmp_path / "artifacts").mkdir()
    FORMAT.save(FORMAT.answering(FORMAT.open(folder, trust=()), ROWS).model, tmp_path / "artifacts", package=PACKAGE)
    assert not [path for path in (tmp_path / "artifacts").rglob("*.json") if "somebody" in path.read_text()]


def test_a_folder_of_something_else_is_not_taken_for_a_model(tmp_path: Path) -> None:
    assert FORMAT.examine(tmp_path) is None
    (tmp_path / "config.json").write_text('{"name": "app"}')
    assert FORMAT.examine(tmp_path) is None
    shutil.copy(FORMAT.loader, tmp_path / "model.pt")
    assert FORMAT.examine(tmp_path / "model.pt") is None
