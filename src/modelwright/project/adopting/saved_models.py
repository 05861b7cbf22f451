"""Find trained models in files, code that trains, and files of rows.

Called by :mod:`modelwright.project.adopting.adopt`. A model is known by what is in the file, never by its suffix;
nothing is loaded (:mod:`modelwright.capturing.opcodes`).
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator

from modelwright.capturing.opcodes import read_globals
from modelwright.capturing.saved import reviewed
from modelwright.errors import AdoptError
from modelwright.inspecting.content import look_into
from modelwright.package import MODEL_FOLDER
from modelwright.project.adopting.report import SavedModel, Training
from modelwright.project.adopting.static_code import parse
from modelwright.project.adopting.tree import Tree

ROWS = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".xlsx", ".feather", ".arff")
_SAMPLES = (".csv", ".parquet", ".jsonl")
_TEXT = (".py", ".md", ".txt", ".rst", ".toml", ".cfg", ".ini", ".ipynb", ".yml", ".yaml", ".html", ".in", *ROWS)
_KINDS = ("pickle", "skops", "onnx", "safetensors", "hdf5")
_SAVES = re.compile(r"(dump|save|save_model|to_pickle|savez|save_pretrained)$")
_READS = re.compile(r"read_\w+$|open$|loadtxt$|genfromtxt$|load_data$")
_IN_A_PROJECT = re.compile(rf"(^|/){MODEL_FOLDER}/(artifacts|_runtime)/")
_COLUMN_TAKERS = ("pop", "drop")


def saved_models(tree: Tree) -> tuple[SavedModel, ...]:
    """Return the files of the project that hold a trained model, by content."""
    found = []
    for file in tree.files:
        path = tree.root / file
        if file.lower().endswith(_TEXT) or _IN_A_PROJECT.search(file) or not path.stat().st_size:
            continue
        with path.open("rb") as stream:
            content = look_into(stream)
            if content.kind not in _KINDS or (content.kind == "pickle" and not content.constructs):
                continue
            stream.seek(0)
            report = read_globals(stream) if content.kind == "pickle" else None
        names = report.globals if report else ()
        found.append(
            SavedModel(
                path=file,
                kind=content.kind,
                size=path.stat().st_size,
                types=content.constructs,
                versions=report.versions if report else {},
                unreviewed=tuple(sorted(set(names) - reviewed())),
                problem=content.problem,
            )
        )
    return tuple(found)


def data_files(tree: Tree) -> tuple[str, ...]:
    """Return the files that hold rows: tables by suffix, those that look like training data first."""
    rows = [f for f in tree.files if f.endswith(ROWS) and not f.endswith(".json") and not _IN_A_PROJECT.search(f)]
    return tuple(sorted(rows, key=lambda file: ("train" not in file.lower(), "test" in file.lower(), file)))


def training_code(tree: Tree) -> tuple[Training, ...]:
    """Return the files of code that fit or save a model, those that do both first."""
    found = []
    for file in tree.files:
        if (
            not file.endswith(".py")
            or re.search(r"(^|/)(tests?|testing)/|(^|/)test_", file)
            or _IN_A_PROJECT.search(file)
        ):
            continue
        try:
            module = parse(tree.text(file), where=file)
        except AdoptError:
            continue
        training = _training(tree, file, module)
        if training is not None:
            found.append(training)
    return tuple(sorted(found, key=lambda each: (not (each.fits and each.saves), not each.fits, each.path)))


def _training(tree: Tree, file: str, module: ast.Module) -> Training | None:
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    named = {id(call): _name(call) for call in calls}
    fits = [c for c in calls if named[id(c)] in ("fit", "fit_transform", "train") and isinstance(c.func, ast.Attribute)]
    saves = [c for c in calls if _SAVES.search(named[id(c)]) and not ast.unparse(c.func).startswith(("json.", "yaml."))]
    if not fits and not saves:
        return None
    constants = dict(_constants(module))
    opened = [call for call in calls if saves and named[id(call)] == "open" and _writes_bytes(call)]
    literals = [text for call in (*saves, *opened) for text in _literals(call, constants) if "." in text]
    read = [t for c in calls if _READS.search(named[id(c)]) for t in _literals(c, constants) if t.endswith(ROWS)]
    return Training(
        path=file,
        line=min(call.lineno for call in (fits or saves)),
        fits=bool(fits),
        saves=tuple(dict.fromkeys(literals)),
        reads=tuple(dict.fromkeys(filter(None, (_known(tree, text) for text in read)))),
        targets=tuple(dict.fromkeys(_targets(module, constants))),
    )


def _writes_bytes(call: ast.Call) -> bool:
    return any(isinstance(argument, ast.Constant) and argument.value == "wb" for argument in call.args)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _constants(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            texts = [n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            if texts:
                yield node.targets[0].id, "/".join(texts)


def _literals(call: ast.Call, constants: dict[str, str]) -> list[str]:
    given: list[ast.expr] = [*call.args, *(keyword.value for keyword in call.keywords)]
    found = []
    for argument in given:
        joined = [n.value for n in ast.walk(argument) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        named = [constants[n.id] for n in ast.walk(argument) if isinstance(n, ast.Name) and n.id in constants]
        found += ["/".join(joined)] if joined else []
        found += joined + named
    return [text.removeprefix("../") for text in dict.fromkeys(found)]


def _known(tree: Tree, text: str) -> str:
    """Return the file of the project that a path of the code means, wherever the code is started."""
    text = re.sub(r"^(\.\./|\./)+", "", text)
    return next((file for file in tree.files if file == text or file.endswith(f"/{text}")), "")


def _targets(module: ast.Module, constants: dict[str, str]) -> Iterator[str]:
    """Give the columns that are taken out of the rows: ``y = df["churned"]``, ``df.drop(columns=["churned"])``."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _name(node) in _COLUMN_TAKERS:
            yield from _literals(node, constants)
        elif isinstance(node, ast.Assign) and re.fullmatch(r"y\w*|target\w*|labels?", ast.unparse(node.targets[0])):
            value = node.value
            if isinstance(value, ast.Subscript):
                index = value.slice
                if isinstance(index, ast.Constant) and isinstance(index.value, str):
                    yield index.value
                elif isinstance(index, ast.Name) and index.id in constants:
                    yield constants[index.id]


def columns(tree: Tree, file: str) -> list[str]:
    """Return the header of a CSV file; empty for any other."""
    if not file.endswith(".csv"):
        return []
    with (tree.root / file).open(encoding="utf-8", errors="replace", newline="") as stream:
        return next(csv.reader(stream), [])


def sample_for(tree: Tree, training: tuple[Training, ...], data: tuple[str, ...]) -> tuple[str, str]:
    """Return the file of rows to capture with, and its target column; empty where nothing tells."""
    read = [file for each in training for file in each.reads]
    fitting = [file for file in [*read, *data] if file.endswith(_SAMPLES)]
    if not fitting:
        return "", ""
    header = columns(tree, fitting[0])
    wanted = [column for each in training for column in each.targets]
    return fitting[0], next((column for column in wanted if column in header), "")
