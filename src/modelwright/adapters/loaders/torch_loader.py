"""Load a PyTorch network from an exported program, TorchScript, or weights of a class; in packages: the loading half.

Self-contained: standard library, with PyTorch, NumPy and safetensors imported when called. Nothing is ever unpickled
by Python. What PyTorch itself would execute in a file is looked for first, in text: an exported program is JSON whose
names become Python source and whose shapes are evaluated; TorchScript is source for PyTorch's own compiler.

Weights are mapped into memory where the file lies open for that, so that processes share them.

Source: torch 2.13, ``torch/export/pt2_archive/_package.py`` and ``torch/_export/serde/serialize.py`` (exported
programs); ``torch/csrc/jit/serialization`` (TorchScript); the safetensors README, "Format".
"""

from __future__ import annotations

import ast
import io
import json
import pickletools
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

PROGRAM = "model.pt2"
SCRIPT = "model.pt"
WEIGHTS = "weights.safetensors"
EXAMPLES = "data/sample_inputs/model.pt"
"""Member of an exported program that PyTorch unpickles; empty in what capture writes."""
_HEADER_LIMIT = 100_000_000
"""Bytes that the header of a safetensors file may have. Source: safetensors README, "Format"."""


class TorchModel:
    """Answers rows through a network.

    Args:
        module: Takes tensors and gives tensors.
        options: What capture found out: ``inputs``, each with ``name`` and ``dtype``; ``positional``: how many of them
            are given without their name; ``one``: whether the network takes one row at a time.
    """

    def __init__(self, module: Any, options: dict[str, Any]) -> None:
        self.module = module
        self.options = options
        self._inputs: list[tuple[str, str]] = [(each["name"], each["dtype"]) for each in options["inputs"]]

    def predict(self, rows: Any) -> Any:
        """Return what the network answers: an array ``[n_rows, ...]``, or a dict of them if it has several outputs."""
        torch: Any = import_module("torch")
        tensors = [tensor_of(values, dtype) for values, dtype in zip(self._values(rows), self.dtypes, strict=True)]
        with torch.inference_mode():
            if not self.options["one"]:
                return plain(self._ask(tensors))
            answers = [plain(self._ask([t[row : row + 1] for t in tensors])) for row in range(len(tensors[0]))]
        numpy: Any = import_module("numpy")
        if isinstance(answers[0], dict):
            return {name: numpy.concatenate([each[name] for each in answers]) for name in answers[0]}
        return numpy.concatenate(answers)

    @property
    def dtypes(self) -> list[str]:
        """Names of the inputs' types, in order."""
        return [dtype for _, dtype in self._inputs]

    def _ask(self, tensors: list[Any]) -> Any:
        first = self.options["positional"]
        named = zip(self.options["inputs"][first:], tensors[first:], strict=True)
        return self.module(*tensors[:first], **{each["name"]: tensor for each, tensor in named})

    def _values(self, rows: Any) -> list[Any]:
        return values_of(rows, [name for name, _ in self._inputs])


def values_of(rows: Any, names: list[str]) -> list[Any]:
    """Return one array ``[n_rows, ...]`` per input.

    An array is the one input. Columns that are called like the inputs are these; other columns of numbers are put
    side by side into the one input, ``[n_rows, n_columns]``.
    """
    numpy: Any = import_module("numpy")
    if isinstance(rows, numpy.ndarray):
        return [rows]
    if isinstance(rows, list):
        rows = {name: [row[name] for row in rows] for name in rows[0]}
    listed = list(rows) if isinstance(rows, dict) else [*(getattr(rows, "column_names", None) or rows.columns)]
    if set(names) <= set(listed) and (len(names) > 1 or isinstance(rows, dict)):
        return [_column(rows[name]) for name in names]
    if len(names) > 1:
        raise ValueError(f"columns {', '.join(names)} are needed, and there are {', '.join(map(str, listed))}")
    return [numpy.stack([_column(rows[name]) for name in listed], axis=1)]


def _column(values: Any) -> Any:
    numpy: Any = import_module("numpy")
    array = values.to_numpy() if hasattr(values, "to_numpy") else numpy.asarray(values)
    return numpy.array(array.tolist()) if array.dtype.kind == "O" else array


def tensor_of(values: Any, dtype: str) -> Any:
    """Return a tensor that owns its memory: a network may change what it is given.

    Without a type, integers stay as they are, and floating-point numbers become ``float32``.
    """
    torch: Any = import_module("torch")
    numpy: Any = import_module("numpy")
    kind = numpy.asarray(values).dtype
    dtype = dtype or ("float32" if kind.kind == "f" else kind.name)
    near = "float32" if dtype == "bfloat16" else dtype
    return torch.from_numpy(numpy.array(values, dtype=near, order="C")).to(getattr(torch, dtype))


def plain(answer: Any) -> Any:
    """Return tensors as arrays; of several, a dict: by their names, or ``output_0``, ``output_1``, … without."""
    if hasattr(answer, "detach"):
        answer = answer.detach().resolve_conj().resolve_neg()
        return (answer.float() if str(answer.dtype) == "torch.bfloat16" else answer).cpu().numpy()
    if hasattr(answer, "_asdict"):
        answer = answer._asdict()
    if isinstance(answer, list | tuple):
        answer = {f"output_{place}": value for place, value in enumerate(answer)}
    if not isinstance(answer, dict):
        raise TypeError(f"the network answers a {type(answer).__name__}, not tensors")
    arrays = {str(name): plain(value) for name, value in answer.items() if value is not None}
    if nested := next((name for name, value in arrays.items() if isinstance(value, dict)), None):
        raise TypeError(f"the network answers tensors inside of others, in {nested}")
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """List what would be executed, or what is not what it should be; empty for what capture writes.

    Args:
        artifacts: The folder of the artifacts.
        options: ``kind``: ``program``, ``script`` or ``weights``.
        package: Import package whose own code the consumer imports anyway.
    """
    if options.get("kind") == "program":
        return audit_program(program_parts(artifacts / PROGRAM))
    if options.get("kind") == "script":
        return audit_script(artifacts / SCRIPT)
    known = str(options.get("module", "")).startswith((f"{package}.", "torch.nn.modules."))
    named = [] if known else [f"{options.get('module')}.{options.get('class')}"]
    return named if _is_safetensors(artifacts / WEIGHTS) else [*named, f"{WEIGHTS}, which is no safetensors file"]


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: list[str]) -> object:
    """Construct the network, on the CPU, for answers only."""
    with warnings.catch_warnings():  # PyTorch announces what it will remove one day
        warnings.simplefilter("ignore")
        if options["kind"] == "program":
            program = read_program(artifacts / PROGRAM, program_parts(artifacts / PROGRAM))
            return TorchModel(program.module(check_guards=False), options)
        if options["kind"] == "script":
            return TorchModel(read_script(artifacts / SCRIPT), options)
        module = import_module(options["module"])
        for name in options["class"].split("."):
            module = getattr(module, name)
        return finished(construct(module, options, read_weights(artifacts / WEIGHTS)), options)


# Weights of a class


def construct(kind: Any, options: dict[str, Any], weights: dict[str, Any]) -> Any:
    """Make a module from its class, its arguments and its weights, which it keeps without copying.

    Args:
        kind: The class.
        options: ``arguments`` of the constructor; ``shared``: names of weights that are another one's; ``bare``:
            whether the weights are all the tensors it has, so that none need be made.
        weights: By name.
    """
    torch: Any = import_module("torch")
    if not issubclass(kind, torch.nn.Module):
        raise TypeError(f"{kind.__qualname__} is no torch.nn.Module")
    with torch.random.fork_rng(devices=[]), torch.device("meta" if options["bare"] else "cpu"):
        module = kind(**options["arguments"])
    complete = weights | {name: weights[first] for name, first in options["shared"].items()}
    module.load_state_dict(complete, assign=True)
    return module.eval().requires_grad_(False)


def finished(module: Any, options: dict[str, Any]) -> Any:
    """Return what answers rows: the module itself if its class says how, else a :class:`TorchModel` around it."""
    return module if options["answers"] else TorchModel(module, options)


def read_weights(path: Path) -> dict[str, Any]:
    """Return the tensors of a safetensors file, mapped into memory."""
    return dict(import_module("safetensors.torch").load_file(path))


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        try:
            return size <= _HEADER_LIMIT and isinstance(json.loads(stream.read(size)), dict)
        except ValueError:
            return False


# TorchScript

_SCRIPT_TYPES = re.compile(
    r"__torch__\.(?!torch\.classes\.(?!quantized\.))[\w.]+|torch\.jit\._pickle\.\w+|torch\._utils\._rebuild_\w+"
    r"|collections\.OrderedDict|torch\.\w+Storage|torch\.(device|Size|per_\w+)"
)
"""What PyTorch's own unpickler, which is not Python's, makes by itself."""
_SCRIPT_REACHES = re.compile(r"\b(save|from_file)\s*\(|\bops\.(?!aten\b|prims?\b|_?quantized\b)(\w+)")
"""Operations that read or write files, and those that another library brings."""


def read_script(path: Path) -> Any:
    """Return a TorchScript module, its tensors on the CPU."""
    return import_module("torch").jit.load(str(path), map_location="cpu").eval()


def audit_script(path: Path) -> list[str]:
    """List types that TorchScript does not know by itself, and operations that reach out of the model."""
    named: set[str] = set()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".pkl"):
                named.update(n for n in _globals(archive.open(name)) if not _SCRIPT_TYPES.fullmatch(n))
            elif "/code/" in name and name.endswith(".py"):
                text = archive.read(name).decode("utf-8", "replace")
                named.update(f"{found[0]}, in {name}" for found in _SCRIPT_REACHES.finditer(text))
    return sorted(named)


def _globals(stream: Any) -> Iterator[str]:
    """Name what a pickle imports; what only newer protocols have is named too, since PyTorch does not write it."""
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name == "GLOBAL":
            yield str(argument).replace(" ", ".")
        elif opcode.name in ("STACK_GLOBAL", "INST", "OBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"):
            yield f"pickle opcode {opcode.name}"


# Exported programs


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
