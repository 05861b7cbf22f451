"""Load a language model from a folder as Hugging Face's libraries write it; in packages: the loading half.

Self-contained: standard library, with transformers, sentence-transformers, PyTorch and NumPy imported when called.
Nothing is asked of a hub, no code beside the libraries' own is imported, and no pickle is read: a folder that would
need any of it is named by :func:`audit`. transformers maps the weights into memory, so that processes share them.

Source: transformers 5.24, ``modeling_utils.py`` and ``dynamic_module_utils.py`` (``auto_map``); sentence-transformers
6.2, ``base/model.py`` (``modules.json``); the safetensors README, "Format".
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = "model"
"""Folder of the model, below the artifacts."""
BATCH = 32
"""Texts that the network is given at once: they are made equally long, so more would cost memory."""
_KINDS = re.compile(r"\.(json|txt|safetensors|model|jinja|tiktoken|bpe|vocab)$")
"""Endings of what the libraries read without running it: settings, vocabularies, weights."""
_HEADER_LIMIT = 100_000_000
"""Bytes that the header of a safetensors file may have. Source: safetensors README, "Format"."""
_MODULES = re.compile(r"sentence_transformers\.[\w.]+")
_INSIDE = re.compile(r"[\w-]*")
_ACTIVATION = re.compile(r"torch\.nn\.modules\.(activation|linear)\.\w+")


class TextModel:
    """Answers rows with one column of text.

    Args:
        options: What capture found out: ``task`` and ``labels``.

    Attributes:
        source: The folder it was opened from, for capture; the loader's has none.
    """

    source: Path | None = None

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def predict(self, rows: Any) -> Any:
        """Return what the model answers."""
        raise NotImplementedError


class Classifier(TextModel):
    """A sequence classifier: the label of each text, and the probability of every label."""

    def __init__(self, model: Any, tokenizer: Any, options: dict[str, Any]) -> None:
        super().__init__(options)
        self.model, self.tokenizer = model, tokenizer
        self.classes_ = import_module("numpy").array(options["labels"])

    def predict(self, rows: Any) -> Any:
        """Return the likeliest label of each text, ``[n_rows]``."""
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]

    def predict_proba(self, rows: Any) -> Any:
        """Return the probability of each label, ``[n_rows, n_labels]``."""
        return _batched(self.model, self.tokenizer, rows, _softmax)


class Scorer(TextModel):
    """A sequence classifier whose labels do not exclude each other, or that gives one number."""

    def __init__(self, model: Any, tokenizer: Any, options: dict[str, Any]) -> None:
        super().__init__(options)
        self.model, self.tokenizer = model, tokenizer

    def predict(self, rows: Any) -> Any:
        """Return one column per label: its probability; or the number, where the model was trained for one."""
        raw = self.options["task"] == "regression"
        scores = _batched(self.model, self.tokenizer, rows, _scores if raw else _sigmoid)
        return {label: scores[:, place] for place, label in enumerate(self.options["labels"])}


class Embedder(TextModel):
    """An encoder: the mean of what it makes of the tokens of a text."""

    def __init__(self, model: Any, tokenizer: Any, options: dict[str, Any]) -> None:
        super().__init__(options)
        self.model, self.tokenizer = model, tokenizer

    def predict(self, rows: Any) -> Any:
        """Return the embedding of each text, ``[n_rows, n_dimensions]``."""
        return {"embedding": _batched(self.model, self.tokenizer, rows, _mean)}


class Sentences(TextModel):
    """A model of sentence-transformers, which embeds texts itself."""

    def __init__(self, model: Any, options: dict[str, Any]) -> None:
        super().__init__(options)
        self.model = model

    def predict(self, rows: Any) -> Any:
        """Return the embedding of each text, ``[n_rows, n_dimensions]``."""
        embedded = self.model.encode(texts_of(rows), batch_size=BATCH, show_progress_bar=False)
        return {"embedding": embedded}


def texts_of(rows: Any) -> list[str]:
    """Return the texts of rows: their one column, or the one called ``text``."""
    if hasattr(rows, "ndim") and not hasattr(rows, "columns"):
        return [str(value) for value in rows.reshape(len(rows), -1)[:, 0].tolist()]
    if isinstance(rows, list):
        rows = {name: [row[name] for row in rows] for name in rows[0]}
    names = list(rows) if isinstance(rows, dict) else [*(getattr(rows, "column_names", None) or rows.columns)]
    name = "text" if "text" in names else names[0]
    column = rows[name]
    values = column.to_numpy() if hasattr(column, "to_numpy") else column
    return ["" if value is None or value != value else str(value) for value in values]


def _batched(model: Any, tokenizer: Any, rows: Any, finish: Any) -> Any:
    torch: Any = import_module("torch")
    texts, answers = texts_of(rows), []
    with torch.inference_mode():
        for start in range(0, len(texts), BATCH):
            tokens = _tokens(model, tokenizer, texts[start : start + BATCH])
            answers.append(finish(model(**tokens), tokens).float().numpy())
    return import_module("numpy").concatenate(answers)


def _tokens(model: Any, tokenizer: Any, texts: list[str]) -> Any:
    longest = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None) or 1 << 20)
    return tokenizer(texts, padding=True, truncation=True, max_length=longest, return_tensors="pt")


def _softmax(answer: Any, _tokens: Any) -> Any:
    return answer.logits.float().softmax(dim=-1)


def _sigmoid(answer: Any, _tokens: Any) -> Any:
    return answer.logits.float().sigmoid()


def _scores(answer: Any, _tokens: Any) -> Any:
    return answer.logits


def _mean(answer: Any, tokens: Any) -> Any:
    mask = tokens["attention_mask"].unsqueeze(-1).float()
    return (answer.last_hidden_state * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """List what would bring code of its own, a pickle, or something from elsewhere."""
    folder = artifacts / FOLDER
    return audit_files(folder, [path for path in folder.rglob("*") if path.is_file()])


def audit_files(folder: Path, files: list[Path]) -> list[str]:
    """List the same for some files of a folder as the libraries write it."""
    named = []
    for path in sorted(files):
        name = path.relative_to(folder).as_posix()
        if not _KINDS.search(name):
            named.append(f"{name}, which is no file of settings, words or weights")
        elif name.endswith(".safetensors") and not is_safetensors(path):
            named.append(f"{name}, which is no safetensors file")
        elif name.endswith(".json"):
            named += [f"{name}: {each}" for each in _odd_settings(path)]
    return named


def _odd_settings(path: Path) -> Iterator[str]:
    try:
        settings = json.loads(path.read_bytes())
    except ValueError:
        yield "no JSON"
        return
    if path.name == "modules.json":
        yield from (f"the module {each['type']}" for each in settings if not _MODULES.fullmatch(each["type"]))
        yield from (f"the folder {each['path']}" for each in settings if not _INSIDE.fullmatch(each["path"]))
    elif "config" in path.name:
        yield from _odd(settings)


def _odd(value: Any, key: str = "") -> Iterator[str]:
    """Name settings that make the libraries import code, run another kernel, or look somewhere else."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _odd(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from _odd(part, key)
    if value and (
        key in ("auto_map", "custom_pipelines", "quantization_config", "trust_remote_code")
        or ("attn_impl" in key and "/" in str(value))
        or (key.endswith("_file") and isinstance(value, str))
        or (key == "activation_function" and "." in str(value) and not _ACTIVATION.fullmatch(str(value)))
    ):
        yield f"{key} {value if isinstance(value, str) else ''}".strip()


def is_safetensors(path: Path) -> bool:
    """Say whether a file begins as safetensors does."""
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        try:
            return size <= _HEADER_LIMIT and isinstance(json.loads(stream.read(size)), dict)
        except ValueError:
            return False


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: list[str]) -> object:
    """Construct the model, on the CPU, from the folder alone."""
    return open_folder(artifacts / FOLDER, options)


def open_folder(folder: Path, options: dict[str, Any]) -> TextModel:
    """Return what answers rows for a folder.

    Args:
        folder: As the libraries write it; audited.
        options: ``task``: ``sentences``, ``embedding``, ``classification``, ``multilabel`` or ``regression``;
            ``class``: name of the model's class in transformers; ``labels``.

    Raises:
        ValueError: Weights are missing, which transformers would make up.
    """
    with quiet():
        if options["task"] == "sentences":
            return Sentences(read_sentences(folder), options)
        return adapted(*read(folder, options["class"]), options)


def read(folder: Path, name: str) -> tuple[Any, Any]:
    """Return model and tokenizer of a transformers folder."""
    transformers: Any = import_module("transformers")
    kind = getattr(transformers, name)
    if not issubclass(kind, transformers.PreTrainedModel):
        raise TypeError(f"{name} is no model of transformers")
    known = {"local_files_only": True, "trust_remote_code": False}
    model, told = kind.from_pretrained(folder, use_safetensors=True, output_loading_info=True, **known)
    if lost := sorted(map(str, [*told["missing_keys"], *told["mismatched_keys"]])):
        raise ValueError(f"weights are missing: {', '.join(lost[:5])}")
    return model.eval(), transformers.AutoTokenizer.from_pretrained(folder, **known)


def read_sentences(folder: Path) -> Any:
    """Return the model of a sentence-transformers folder."""
    kind: Any = import_module("sentence_transformers").SentenceTransformer
    return kind(str(folder), device="cpu", local_files_only=True, trust_remote_code=False).eval()


def adapted(model: Any, tokenizer: Any, options: dict[str, Any]) -> TextModel:
    """Return what answers rows through a model of transformers."""
    kinds = {"classification": Classifier, "embedding": Embedder}
    _tokens(model, tokenizer, ["."])  # it settles how it cuts and fills texts; later calls may be in threads
    made: TextModel = kinds.get(options["task"], Scorer)(model, tokenizer, options)
    return made


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and notes from the screen; put everything back."""
    log: Any = import_module("transformers.utils.logging")
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity(log.CRITICAL)
    log.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()
