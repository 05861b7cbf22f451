"""The transformers format: text classifiers and encoders of Hugging Face, as a folder of settings and weights.

For: capture, with a live ``pipeline``, or a folder as ``save_pretrained`` writes it. The weights travel byte by byte.
No hub is asked, now or when the package is loaded, and no code that comes with a model is ever imported.

It does not: generate text, label tokens, or hold quantised models.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from pathlib import Path
from typing import Any

from modelwright.adapters.formats.text_folders import (
    answering,
    check_folder,
    copy_folder,
    forget_last_texts,
    settings_of,
    tidy,
)
from modelwright.adapters.loaders import transformers_loader
from modelwright.adapters.loaders.transformers_loader import FOLDER, Sentences, TextModel, adapted, quiet, read
from modelwright.capturing.formats import Adapted, FileReport, Saved
from modelwright.errors import LoaderError, SerialisationError

_PIPELINE = "transformers.pipelines.base.Pipeline"
_PIPELINES = ("TextClassificationPipeline", "FeatureExtractionPipeline")
_WAY_OUT = (
    "Text classification and embeddings are captured. For another task capture a function "
    "predict(rows, models) that is given the folder as a part."
)


class TransformersFormat:
    """Folders of transformers; see :class:`modelwright.capturing.formats.Format`."""

    name = "transformers"
    loader = Path(transformers_loader.__file__)
    distributions = ("numpy", "safetensors", "tokenizers", "torch", "transformers")
    executes_code = False
    portable = True
    self_contained = True

    def claims(self, model: object) -> int:
        """Claim pipelines, and what :meth:`open` gives."""
        kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(model).__mro__}
        opened = isinstance(model, TextModel) and not isinstance(model, Sentences)
        return 96 if opened or _PIPELINE in kinds else 0

    def answering(self, model: object, sample: Any) -> Adapted:
        """Return what answers a column of texts.

        Raises:
            ModelMismatchError: The rows are not one column of text.
            SerialisationError: The pipeline has another task.
        """
        return answering(model if isinstance(model, TextModel) else _of_pipeline(model), sample)

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write the folder ``model``.

        Raises:
            SerialisationError: It is no model of transformers, or needs more than settings and weights.
        """
        if self.claims(model) == 0 or not isinstance(model, TextModel):
            raise SerialisationError(f"A {type(model).__qualname__} is no text model of transformers.")
        live: Any = model
        folder = artifacts / FOLDER
        if model.source is not None:
            copy_folder(model.source, folder)
        else:
            with quiet():
                forget_last_texts(live.tokenizer)
                live.model.save_pretrained(folder)
                live.tokenizer.save_pretrained(folder)
        tidy(folder)
        return Saved(options=model.options)

    def examine(self, path: Path) -> FileReport | None:
        """Say what a folder of transformers is; ``None`` for anything else.

        Raises:
            UnsafeFileError: It needs code that comes with it, or its weights are a pickle.
            LoaderError: Its weights are cut off.
        """
        settings = settings_of(path / "config.json") if path.is_dir() else None
        if not isinstance(settings, dict) or "model_type" not in settings or (path / "modules.json").exists():
            return None
        check_folder(path)
        wrote = settings.get("transformers_version")
        return FileReport(
            kind=f"transformers model ({settings['model_type']})",
            requires=("transformers", "torch", "safetensors"),
            note=f"It was saved by transformers {wrote}." if wrote else "",
        )

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Return the model in a folder, as what answers rows.

        Raises:
            LoaderError: It is for another task, or transformers fails to load it.
        """
        named = (settings_of(path / "config.json").get("architectures") or [""])[0]
        if not _task_of_class(named):
            raise LoaderError(
                f"A {named or 'model without a named class'} is not captured from its folder.",
                where=str(path),
                hint=_WAY_OUT,
            )
        try:
            with quiet():
                model, tokenizer = read(path, named)
                opened = adapted(model, tokenizer, _options(model))
        except Exception as error:  # whatever the libraries raise
            raise LoaderError(
                "The model in this folder cannot be loaded.",
                where=str(path),
                why=f"{type(error).__name__}: {error}".partition("\n")[0],
                hint="Save it again with its own library: model.save_pretrained(folder), tokenizer.save_pretrained.",
            ) from error
        opened.source = path
        return opened


def _of_pipeline(pipeline: Any) -> TextModel:
    if type(pipeline).__name__ not in _PIPELINES or pipeline.tokenizer is None:
        raise SerialisationError(f"A {type(pipeline).__name__} is not captured.", hint=_WAY_OUT)
    model = pipeline.model
    if not _task_of_class(type(model).__name__) or not type(model).__module__.startswith("transformers.models."):
        raise SerialisationError(f"A {type(model).__name__} is not captured as a pipeline.", hint=_WAY_OUT)
    with quiet():
        if any(tensor.device.type != "cpu" for tensor in model.parameters()):
            model = copy.deepcopy(model).cpu()  # the caller's model stays where it is
        return adapted(model.eval(), pipeline.tokenizer, _options(model))


def _task_of_class(name: str) -> str:
    if name.endswith("ForSequenceClassification"):
        return "classification"
    return "embedding" if name.endswith("Model") and not name.endswith("LMHeadModel") else ""


def _options(model: Any) -> dict[str, Any]:
    config, task = model.config, _task_of_class(type(model).__name__)
    options = {"class": type(model).__name__, "task": task, "labels": []}
    if task == "classification":
        options["labels"] = [str(config.id2label[place]) for place in range(config.num_labels)]
        if config.problem_type == "regression":
            options["task"] = "regression"
        elif config.problem_type == "multi_label_classification" or config.num_labels == 1:
            options["task"] = "multilabel"  # as transformers' own pipeline has it
    return options


FORMAT = TransformersFormat()
