"""Give the classes and functions of a TorchScript archive names that do not depend on what was scripted before.

Called by the torchscript format. PyTorch numbers classes of one name in the order in which a process meets them, so the
same module has other names, and another archive, in another process. Here each definition gets a file of its own,
numbered in the order in which the stored object and then the code refers to it.

Source: torch, ``torch/csrc/jit/serialization/import_source.cpp``: a definition ``__torch__.a.Net`` is looked for in
``code/__torch__/a.py``.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Callable, Iterator
from typing import Any

_NAME = re.compile(r"__torch__(?:\.\w+)+")
_DEFINITION = re.compile(r"^(?:class|def) (\w+)", re.MULTILINE)
_CONSTANTS = re.compile(r"(?:^  \w+ : Final\[.*\n)+", re.MULTILINE)
_MANGLED = re.compile(r"___torch_mangle_\d+")


def renamed(parts: dict[str, bytes]) -> dict[str, bytes]:
    """Return the code and the pickles of an archive with the new names.

    Args:
        parts: Members by their name below the root: those in ``code/`` that end in ``.py``, and all ``.pkl``.
    """
    texts = dict(_definitions(parts))
    pickles = {name: content for name, content in parts.items() if name.endswith(".pkl")}
    new: dict[str, str] = {}

    def rename(text: str) -> str:
        return _NAME.sub(lambda found: _replaced(found[0], new), text)

    for name in _reached(texts, pickles):
        qualifier, _, last = name.rpartition(".")
        kept = [part for part in qualifier.split(".") if not _MANGLED.fullmatch(part)]
        new[name] = ".".join([*kept, f"___torch_mangle_{len(new)}", last])
    code = {f"code/{new[name].rpartition('.')[0].replace('.', '/')}.py": rename(texts[name]).encode() for name in new}
    return code | {name: _spliced(content, rename) for name, content in pickles.items()}


def _definitions(parts: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    for path, content in parts.items():
        if path.endswith(".py"):
            qualifier, text = path.removeprefix("code/").removesuffix(".py").replace("/", "."), content.decode()
            found = list(_DEFINITION.finditer(text))
            for each, following in zip(found, [*found[1:], None], strict=True):
                definition = text[each.start() : following.start() if following else len(text)]
                yield f"{qualifier}.{each[1]}", _CONSTANTS.sub(_sorted_lines, definition)


def _sorted_lines(found: re.Match[str]) -> str:
    """Sort the constants of a class, which come from a set."""
    return "".join(sorted(found[0].splitlines(keepends=True)))


def _reached(texts: dict[str, str], pickles: dict[str, bytes]) -> list[str]:
    """Return the definitions in the order in which they are referred to, from the stored object on."""
    order: dict[str, None] = {}
    waiting = [name for path in sorted(pickles, reverse=True) for name in _mentioned(pickles[path], texts)]
    while waiting:
        name = waiting.pop(0)
        if name not in order:
            order[name] = None
            waiting += [_known(found[0], texts) for found in _NAME.finditer(texts[name]) if _known(found[0], texts)]
    return list(order)


def _mentioned(pickled: bytes, texts: dict[str, str]) -> Iterator[str]:
    for _, argument, _ in pickletools.genops(pickled):
        for found in _NAME.finditer(argument.replace(" ", ".") if isinstance(argument, str) else ""):
            if name := _known(found[0], texts):
                yield name


def _known(text: str, names: dict[str, str]) -> str:
    """Return the definition that a text begins with: an entry of an enumeration has its own name after it."""
    while text and text not in names:
        text = text.rpartition(".")[0]
    return text


def _replaced(text: str, new: dict[str, str]) -> str:
    known = _known(text, new)
    return new[known] + text[len(known) :] if known else text


def _spliced(pickled: bytes, rename: Callable[[str], str]) -> bytes:
    """Write the names in a pickle again. PyTorch writes protocol 2, whose opcodes can be replaced one by one."""
    made, done = [], 0
    found: list[tuple[Any, Any, Any]] = list(pickletools.genops(pickled))
    ends = [*(position for _, _, position in found[1:]), len(pickled)]
    for (opcode, argument, begin), end in zip(found, ends, strict=True):
        if not isinstance(argument, str) or "__torch__" not in argument:
            continue
        if opcode.name == "GLOBAL":
            module, _, name = rename(argument.replace(" ", ".")).rpartition(".")
            new = f"c{module}\n{name}\n".encode()
        elif opcode.name == "BINUNICODE":
            text = rename(argument).encode()
            new = b"X" + len(text).to_bytes(4, "little") + text
        else:
            raise ValueError(f"a name in the pickle opcode {opcode.name}")
        made += [pickled[done:begin], new]
        done = end
    return b"".join([*made, pickled[done:]])
