"""Look into an exported program, and load it with its weights mapped. For the loader of PyTorch networks.

It is JSON whose names become Python source and whose shapes are evaluated as Python, so each text must be of the form
which its place allows.

Source: torch 2.13, ``torch/export/pt2_archive/_package.py`` and ``torch/_export/serde/serialize.py``.
"""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

EXAMPLES = "data/sample_inputs/model.pt"
"""Member of an exported program that PyTorch unpickles; empty in what capture writes."""


def read_program(path: Path, parts: dict[str, bytes]) -> Any:
    """Return an exported program whose weights are mapped from the file.

    PyTorch would read a copy of the weights. It is given the program without them, and they are put in afterwards.

    Args:
        path: The file.
        parts: What was audited: its :func:`program_parts`.
    """
    torch: Any = import_module("torch")
    program = torch.export.load(lean_program(parts))
    config = json.loads(parts["data/weights/model_weights_config.json"])["config"]
    storages = _storages(path)
    for name, entry in config.items():
        old, meta = program.state_dict[name], entry["tensor_meta"]
        storage, start = storages[f"data/weights/{entry['path_name']}"]
        offset = start // old.element_size() + meta["storage_offset"]["as_int"]
        sizes, strides = ([number["as_int"] for number in meta[key]] for key in ("sizes", "strides"))
        new = torch.empty(0, dtype=old.dtype).set_(storage, offset, sizes, strides)
        program.state_dict[name] = torch.nn.Parameter(new, requires_grad=False) if entry["is_param"] else new
    return program


def _storages(path: Path) -> dict[str, tuple[Any, int]]:
    """Return where the bytes of each weight are: the mapped file and a position, or a copy of what lies unaligned."""
    torch: Any = import_module("torch")
    whole = torch.UntypedStorage.from_file(str(path), shared=False, nbytes=path.stat().st_size)
    found: dict[str, tuple[Any, int]] = {}
    with path.open("rb") as stream, zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if not _WEIGHT.fullmatch(_inner(entry.filename)):
                continue
            start = _data_offset(stream, entry)
            if entry.compress_type == zipfile.ZIP_STORED and not start % 16:  # the largest element has 16 bytes
                found[_inner(entry.filename)] = whole, start
            else:
                copied = torch.frombuffer(bytearray(archive.read(entry)) or bytearray(1), dtype=torch.uint8)
                found[_inner(entry.filename)] = copied.untyped_storage(), 0
    return found


def program_parts(path: Path) -> dict[str, bytes]:
    """Return the members of an exported program without its weights (they are empty), by their names in it."""
    with zipfile.ZipFile(path) as archive:
        found = {_inner(name): name for name in archive.namelist()}
        return {inner: b"" if _WEIGHT.fullmatch(inner) else archive.read(name) for inner, name in found.items()}


_WEIGHT = re.compile(r"data/weights/weight_\d+")


def lean_program(parts: dict[str, bytes]) -> BinaryIO:
    """Return the archive that PyTorch reads: weights without values, each with a place of its own."""
    config = json.loads(parts["data/weights/model_weights_config.json"])
    for place, entry in enumerate(config["config"].values()):
        entry["path_name"], meta, step = f"weight_{place}", entry["tensor_meta"], 1
        meta |= {"device": {"type": "meta", "index": None}, "storage_offset": {"as_int": 0}, "strides": []}
        for size in reversed(meta["sizes"]):
            meta["strides"].insert(0, {"as_int": step})
            step *= max(size["as_int"], 1)
    kept = {name: content for name, content in parts.items() if not _WEIGHT.fullmatch(name)}
    kept |= {f"data/weights/weight_{place}": b"" for place in range(len(config["config"]))}
    kept["data/weights/model_weights_config.json"] = json.dumps(config).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in kept.items():
            archive.writestr(zipfile.ZipInfo(f"model/{name}"), content)
    stream.seek(0)
    return stream


def _inner(name: str) -> str:
    return name.partition("/")[2]


def _data_offset(stream: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Return where the bytes of a member begin. Source: APPNOTE.TXT 6.3.10, 4.3.7."""
    stream.seek(entry.header_offset + 26)
    lengths = stream.read(4)
    return entry.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")


_IDENTIFIER = re.compile(r"(?!__\w+__$)[A-Za-z_]\w*|")
_PATH = re.compile(r"[\w.-]*")
_OPERATION = re.compile(
    r"torch\.ops\.(aten|prims)\.(?!(save|from_file)\b)(\w*[A-Za-z0-9]_?|__[ilr]?(and|or|xor|shift)__)(\.\w*[A-Za-z0-9]_?)?"
    r"|torch\.ops\.higher_order\.(cond|while_loop|scan|map_impl|associative_scan|wrap_with_(set_grad_enabled|autocast))"
    r"|_operator\.(add|sub|mul|truediv|floordiv|mod|pow|neg|pos|abs|eq|ne|lt|le|gt|ge|and_|or_|not_|xor|getitem|lshift"
    r"|rshift)|math\.[a-z0-9]+|torch\._?sym_[a-z_]+"
)
"""Operations that calculate. ATen has two that read or write files; any other name may be a function of Python's."""
_SYMBOLIC = re.compile(
    "Symbol|Integer|Float|Rational|Max|Min|Eq|Ne|L[te]|G[te]|And|Or|Not|Add|Mul|Pow|Abs|Mod|Where|Identity|ToFloat"
    "|(Floor|Clean|Ceil)Div|ModularIndexing|PythonMod|(Ceil|Floor|Trunc|Round)ToInt|[LR]Shift|PowByNatural|FloatPow"
    "|(Float|Int)TrueDiv|TruncToFloat|RoundDecimal"
)
"""What an expression of sizes may call; PyTorch evaluates it as Python."""
_EXPRESSION: tuple[type[ast.AST], ...] = (
    ast.Expression,
    ast.Call,
    ast.keyword,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.BinOp,
    ast.UnaryOp,
)
_EXPRESSION += (ast.Compare, ast.BoolOp, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
_TREES = ("builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict", None)


def audit_program(parts: dict[str, bytes]) -> list[str]:
    """List everything in an exported program that is more than calculation on tensors."""
    named = {f"{name}, which is no part of a program" for name in parts if not _PART.fullmatch(name)}
    for name in ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json"):
        for entry in json.loads(parts[name])["config"].values():
            if entry["use_pickle"] or not re.fullmatch(r"(weight|tensor)_\d+", entry["path_name"]):
                named.add(f"{entry['path_name']}, which is a pickle")
    if parts.get(EXAMPLES):
        named.add("the example inputs, which are a pickle")
    return sorted(named | set(_wrong(json.loads(parts["models/model.json"]), "")))


_PART = re.compile(
    r"(models/model\.json|data/weights/(weight_\d+|model_weights_config\.json)|archive_(format|version)|byteorder"
    r"|data/constants/(tensor_\d+|model_constants_config\.json)|data/sample_inputs/model\.pt|\.data/\w+)"
)


def _wrong(value: Any, key: str) -> Iterator[str]:
    """Name every text that is not of the form which its place allows; a text at an unknown place is of none."""
    if isinstance(value, dict):
        for name, part in value.items():
            if not _PATH.fullmatch(name):
                yield f"the name {name!r}"
            yield from _wrong(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from _wrong(part, key)
    elif isinstance(value, str) and not (key in _FORMS and _FORMS[key](value)):
        yield f"{value[:200]!r} as {key}"


def _is_expression(text: str) -> bool:
    try:
        nodes = list(ast.walk(ast.parse(text, mode="eval")))
    except (SyntaxError, ValueError):
        return False
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    names = [node.id for node in nodes if isinstance(node, ast.Name)]
    return (
        all(isinstance(node, _EXPRESSION) for node in nodes)
        and all(isinstance(each, ast.Name) and _SYMBOLIC.fullmatch(each.id) for each in called)
        and all(_IDENTIFIER.fullmatch(each) for each in (*texts, *names))
    )


def _is_tree(text: str) -> bool:
    def known(node: Any) -> bool:
        return (
            node["type"] in _TREES and "__enum__" not in str(node["context"]) and all(map(known, node["children_spec"]))
        )

    try:
        return known(json.loads(text)[1])
    except (ValueError, KeyError, TypeError, IndexError):
        return False


def _is(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


_FORMS: dict[str, Callable[[str], bool]] = {
    **dict.fromkeys(("name", "as_name", "forward_arg_names", "verifiers"), _is(_IDENTIFIER)),
    **dict.fromkeys(("parameter_name", "buffer_name", "tensor_constant_name", "fqn"), _is(_PATH)),
    **dict.fromkeys(("target", "as_operator"), _is(_OPERATION)),
    **dict.fromkeys(("in_spec", "out_spec"), _is_tree),
    **dict.fromkeys(("as_string", "as_strings"), lambda _: True),  # written into the source by repr
    **dict.fromkeys(("as_float", "as_floats"), _is(re.compile("NaN|-?Infinity"))),
    "expr_str": _is_expression,
    "type": lambda text: text in ("cpu", "meta"),
    "torch_version": _is(re.compile(r"[\w.+]*")),
}
"""Per key of a program, which text may stand there."""
