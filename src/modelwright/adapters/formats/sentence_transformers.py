"""The sentence-transformers format: models that embed texts, as a folder of settings and weights.

For: capture, with a live ``SentenceTransformer``, or a folder as it saves itself. The weights travel byte by byte; no
hub is asked, and modules that come with a model as code are refused.
"""

from __future__ import annotations

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
from modelwright.adapters.loaders.transformers_loader import FOLDER, Sentences, quiet, read_sentences
from modelwright.capturing.formats import Adapted, FileReport, Saved
from modelwright.errors import LoaderError, SerialisationError

_LIVE = "sentence_transformers.sentence_transformer.model.SentenceTransformer"
_OLDER = "sentence_transformers.SentenceTransformer.SentenceTransformer"


class SentenceTransformersFormat:
    """Folders of sentence-transformers; see :class:`modelwright.capturing.formats.Format`."""

    name = "sentence-transformers"
    loader = Path(transformers_loader.__file__)
    distributions = ("numpy", "safetensors", "sentence-transformers", "torch", "transformers")
    executes_code = False
    portable = True
    self_contained = True

    def claims(self, model: object) -> int:
        """Claim models of the library, and what :meth:`open` gives."""
        kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(model).__mro__}
        return 97 if isinstance(model, Sentences) or kinds & {_LIVE, _OLDER} else 0

    def answering(self, model: object, sample: Any) -> Adapted:
        """Return what embeds a column of texts.

        Raises:
            ModelMismatchError: The rows are not one column of text.
        """
        opened = model if isinstance(model, Sentences) else Sentences(model, {"task": "sentences"})
        return answering(opened, sample)

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write the folder ``model``.

        Raises:
            SerialisationError: It is no model of the library, or has modules of its own.
        """
        if not isinstance(model, Sentences):
            raise SerialisationError(f"A {type(model).__qualname__} is no model of sentence-transformers.")
        folder = artifacts / FOLDER
        if model.source is not None:
            copy_folder(model.source, folder, _parts(model.source))
        else:
            with quiet():
                forget_last_texts(getattr(model.model, "tokenizer", None))
                model.model.save_pretrained(str(folder), create_model_card=False)
        tidy(folder)
        return Saved(options=model.options)

    def examine(self, path: Path) -> FileReport | None:
        """Say what a folder of sentence-transformers is; ``None`` for anything else.

        Raises:
            UnsafeFileError: It has modules of its own, or its weights are a pickle.
            LoaderError: Its weights are cut off.
        """
        if not path.is_dir() or not isinstance(settings_of(path / "modules.json"), list):
            return None
        check_folder(path, _parts(path))
        wrote = (settings_of(path / "config_sentence_transformers.json") or {}).get("__version__", {})
        version = wrote.get("sentence_transformers", "")
        return FileReport(
            kind="sentence-transformers model",
            requires=("sentence-transformers", "torch", "safetensors"),
            note=f"It was saved by sentence-transformers {version}." if version else "",
        )

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Return the model in a folder, as what answers rows.

        Raises:
            LoaderError: The library fails to load it.
        """
        try:
            with quiet():
                opened = Sentences(read_sentences(path), {"task": "sentences"})
        except Exception as error:  # whatever the libraries raise
            raise LoaderError(
                "The model in this folder cannot be loaded.",
                where=str(path),
                why=f"{type(error).__name__}: {error}".partition("\n")[0],
                hint="Save it again with its own library: model.save_pretrained(folder).",
            ) from error
        opened.source = path
        return opened


def _parts(folder: Path) -> list[str]:
    """Return the subfolders of the modules; one that leads out of the folder is named by the audit."""
    listed = settings_of(folder / "modules.json") or []
    return [entry["path"] for entry in listed if (folder / entry["path"]).is_dir() and ".." not in entry["path"]]


FORMAT = SentenceTransformersFormat()
