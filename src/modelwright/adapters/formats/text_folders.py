"""Look at folders of Hugging Face's libraries, and copy what belongs to the model.

Called by the formats transformers and sentence-transformers. A folder from a hub also has what the model does not
need: the same weights in other frameworks' files, cards, images. It stays behind.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modelwright.adapters.loaders.transformers_loader import TextModel, audit_files
from modelwright.capturing.formats import Adapted
from modelwright.capturing.table import Table
from modelwright.errors import LoaderError, ModelMismatchError, Problem, SerialisationError, UnsafeFileError

_WORDS = (".json", ".txt", ".model", ".jinja", ".tiktoken", ".bpe", ".vocab")
_PRIVATE = ("_name_or_path", "name_or_path", "is_local", "local_files_only")
"""Settings that say where on somebody's machine a model came from."""
_TOLERANCES = {"rtol": 1e-4, "atol": 1e-5}
"""How far numbers may be from those that were captured, on another processor, which adds up in another order. Source:
``torch.testing.assert_close`` has 1.3e-6 and 1e-5 for one operation in float32."""
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def settings_of(path: Path) -> Any:
    """Return what a JSON file says; ``None`` if there is none, or it is no JSON."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def needed(folder: Path, parts: Iterable[str] = ("",)) -> list[Path]:
    """Return the files of a model: settings, vocabularies and weights, directly in the folder and in its parts."""
    found = []
    for part in dict.fromkeys(["", *parts]):
        here = sorted(path for path in (folder / part).iterdir() if path.is_file())
        found += [path for path in here if path.suffix in (*_WORDS, ".safetensors") and path.stem != "README"]
    return found


def check_folder(folder: Path, parts: Iterable[str] = ("",)) -> None:
    """Refuse a folder whose model is more than settings and weights.

    Raises:
        UnsafeFileError: It brings code, or its weights are pickles.
        LoaderError: Weights are cut off.
    """
    listed = list(parts)
    code = [path.relative_to(folder).as_posix() for part in {"", *listed} for path in (folder / part).glob("*.py")]
    odd = [f"{name}, which is code" for name in code]
    odd += audit_files(folder, needed(folder, listed))
    if odd:
        raise UnsafeFileError(
            "This model needs code, or reads from elsewhere; nothing was executed.",
            where=str(folder),
            problems=[Problem(None, None, name) for name in sorted(odd)],
            why="Such settings make the libraries import what comes with the model, which nobody has reviewed.",
            hint="Use a model that the library itself has, or load it where you trust it and capture a function.",
        )
    for part in {"", *listed}:
        here = [path for path in (folder / part).iterdir() if path.is_file()]
        weights = [path for path in here if path.suffix == ".safetensors"]
        if not weights and (pickled := [path for path in here if path.suffix in _PICKLED]):
            raise UnsafeFileError(
                f"The weights are a pickle, {pickled[0].name}; nothing was executed.",
                where=str(folder),
                why="A pickle is a program. The libraries' own format, safetensors, is none.",
                hint="Convert it where you trust it: AutoModel.from_pretrained(folder).save_pretrained(new_folder).",
            )
        for path in weights:
            if not _is_complete(path):
                raise LoaderError("The weights are cut off.", where=str(path), hint="Get the file again.")


def _is_complete(path: Path) -> bool:
    """Say whether a safetensors file has the bytes that its header lists. Source: safetensors README, "Format"."""
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(size))
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return path.stat().st_size == 8 + size + max(ends, default=0)


def copy_folder(source: Path, target: Path, parts: Iterable[str] = ("",)) -> None:
    """Copy the files of a model, weights byte by byte."""
    for path in needed(source, parts):
        new = target / path.relative_to(source)
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, new)


def forget_last_texts(tokenizer: Any) -> None:
    """Let a tokenizer forget how it cut and filled the last texts, which it would save; each call says so anew."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        backend.no_truncation()
        backend.no_padding()


def tidy(folder: Path) -> None:
    """Leave out of the settings where the model came from.

    Raises:
        SerialisationError: The libraries wrote something that the loader will not read.
    """
    for path in sorted(folder.rglob("*config.json")):
        settings = settings_of(path)
        if isinstance(settings, dict) and any(key in settings for key in _PRIVATE):
            kept = {key: value for key, value in settings.items() if key not in _PRIVATE}
            path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if odd := audit_files(folder, [path for path in folder.rglob("*") if path.is_file()]):
        raise SerialisationError(
            "The model is more than settings and weights.", why=odd[0], hint="Capture a function around it instead."
        )


def answering(model: TextModel, sample: Any) -> Adapted:
    """Return a model with a sample of texts, and what it declares: any text, and how exact its numbers are.

    Raises:
        ModelMismatchError: The rows are not one column of text, or several with one called ``text``.
    """
    if sample is None:
        return Adapted(model, None)
    table = Table.of(sample)
    column = next((each for each in table.columns if each.name == "text"), table.columns[0])
    if column.datatype != "string" or (len(table.columns) > 1 and column.name != "text"):
        raise ModelMismatchError(
            "The model takes one column of text.",
            why=f"The sample has {', '.join(f'{each.name} ({each.datatype})' for each in table.columns)}.",
            hint="Give one column, or call the one with the texts 'text' and leave the others out.",
        )
    numbers = ("probability", "embedding", *model.options.get("labels", ()))
    return Adapted(
        model, sample, fields={column.name: {"categories": None}}, outputs=dict.fromkeys(numbers, _TOLERANCES)
    )
