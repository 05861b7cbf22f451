"""Read the text of a LightGBM model as far as is needed to know that it is whole, without LightGBM.

Called by the lightgbm format. LightGBM ends the process when the numbers of a tree are not as many as it expects, so
what is not whole never reaches it. It does not judge what a tree says.

Source: LightGBM, ``src/boosting/gbdt_model_text.cpp`` and ``Tree::ToString``, format v4.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

HEAD = re.compile(rb"tree\r?\nversion=v(\d+)\r?\n")
"""What every model begins with."""
_WITH_PARAMETERS = 3
"""Version of the format since which parameters follow the trees."""
_PARAMETER = re.compile(r"^\[(\w+): (.*)\]$", re.MULTILINE)
_DIGITS = re.compile(r"[0-9]{1,18}")
_CATEGORIES = "pandas_categorical:"
_OF_THIS_RUN = {
    "num_threads": "0",
    **dict.fromkeys(("data", "valid", "machines", "machine_list_filename", "local_listen_port"), ""),
    **dict.fromkeys(("forcedsplits_filename", "forcedbins_filename", "parser_config_file"), ""),
}
"""Parameters of the machine and the run that trained; they do not change an answer."""


class TextError(ValueError):
    """The text is no model, or not all of one."""


class Text(NamedTuple):
    """What the text of a model says beside its trees.

    Attributes:
        version: Version of the format.
        header: What stands before the trees, by name.
        parameters: What it was trained with, by name; empty if that was not written.
        categories: Categories of the categorical columns of a pandas frame, in the order of the columns.
    """

    version: int
    header: dict[str, str]
    parameters: dict[str, str]
    categories: list[list[Any]]


def read(content: bytes) -> Text:
    """Check that a model is whole.

    Raises:
        TextError: It is cut off, or a tree has other numbers than it says.
    """
    found = HEAD.match(content)
    if found is None:
        raise TextError("it does not begin with its version")
    start = content.find(b"\nTree=0") + 1
    header = dict(_pairs(_decoded(content[: start or len(content)])))
    sizes = [_number(size) for size in header.get("tree_sizes", "").split()]
    if not sizes or min(sizes) < 0 or not start:
        raise TextError("it says no sizes of its trees, or has no trees")
    ends = list(accumulate(sizes, initial=start))
    for number, (begin, end) in enumerate(pairwise(ends)):
        _check_tree(_decoded(content[begin:end]), number, _number(header.get("max_feature_idx", "")))
    rest = _decoded(content[ends[-1] :])
    if not rest.startswith("end of trees"):
        raise TextError("it is cut off: its trees are shorter than it says")
    version = int(found[1])
    if version >= _WITH_PARAMETERS and "\nparameters:\n" not in rest:
        raise TextError("it is cut off behind its trees")
    return Text(version, header, *_ending(rest))


def _decoded(part: bytes) -> str:
    try:
        return part.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextError("it is no text in UTF-8") from error


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, mark, value = line.partition("=")
        if mark:
            yield name, value


def _check_tree(text: str, number: int, last_feature: int) -> None:
    pairs = dict(_pairs(text))
    leaves = _number(pairs.get("num_leaves", ""))
    if pairs.get("Tree") != str(number) or leaves < 1:
        raise TextError(f"tree {number} does not begin where it should")
    for name in ("split_feature", "threshold", "decision_type", "left_child", "right_child"):
        _check_numbers(pairs, name, leaves - 1, number)
    _check_numbers(pairs, "leaf_value", leaves, number)
    for name, low, high in (
        ("split_feature", 0, last_feature),
        ("left_child", -leaves, leaves - 2),
        ("right_child", -leaves, leaves - 2),
    ):
        numbers = [_signed(part, wrong=high + 1) for part in pairs[name].split()]
        if numbers and not (low <= min(numbers) and max(numbers) <= high):
            raise TextError(f"{name} of tree {number} leads out of the tree")


def _number(text: str) -> int:
    """Return a number that counts something; -1 if it is none."""
    return int(text) if _DIGITS.fullmatch(text) else -1


def _signed(text: str, *, wrong: int) -> int:
    number = _number(text.removeprefix("-"))
    return wrong if number < 0 else -number if text.startswith("-") else number


def _check_numbers(pairs: dict[str, str], name: str, count: int, number: int) -> None:
    if len(pairs.get(name, "").split()) != count:
        raise TextError(f"{name} of tree {number} has not {count} numbers")


def _ending(rest: str) -> tuple[dict[str, str], list[list[Any]]]:
    _, mark, after = rest.partition("\nparameters:\n")
    told, end, after = after.partition("end of parameters") if mark else ("", "end", rest)
    if not end:
        raise TextError("it is cut off in its parameters")
    written = after.rpartition(_CATEGORIES)
    if mark and (written[0] if written[1] else after).strip():
        raise TextError("it is cut off behind its parameters")
    try:
        categories = (json.loads(written[2]) if written[1] else None) or []
    except (ValueError, RecursionError) as error:
        raise TextError("it is cut off in its categories") from error
    if not isinstance(categories, list) or not all(isinstance(each, list) for each in categories):
        raise TextError("its categories are no lists")
    return dict(_PARAMETER.findall(told)), categories


def without_run(text: str) -> str:
    r"""Return the text of a model without what only describes the run and the machine that trained it.

    Example:
        >>> without_run("[num_leaves: 31]\n[num_threads: 16]\n[data: /home/ann/rows.csv]")
        '[num_leaves: 31]\n[num_threads: 0]\n[data: ]'
    """
    start = text.rfind("\nparameters:\n") + 1
    trees, parameters = text[:start], text[start:]
    return trees + _PARAMETER.sub(lambda found: f"[{found[1]}: {_OF_THIS_RUN.get(found[1], found[2])}]", parameters)
