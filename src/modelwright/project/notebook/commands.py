"""What IPython's commands mean for a project: which hold code to keep, which install something, which need the network.

Called by magics. Tables and text in, meaning out; it knows no cell.

Source: IPython documentation, "Built-in magic commands"; pip and conda, "install" and its options.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement

MEASURING = frozenset({"time", "timeit", "prun", "lprun", "memit", "mprun", "capture", "notify", "debug", "pdb"})
"""Commands around code that is kept: they measure it or catch what it shows."""
WRITING = frozenset({"writefile", "file"})
"""Cell commands that write the cell into a file."""
LIBRARIES = {"pylab": "from matplotlib.pylab import *"}
"""Commands that are imports in disguise."""

_VALUED = {
    "time": "",
    "timeit": "nrtp",
    "prun": "lsTD",
    "lprun": "fmTDusz",
    "memit": "rti",
    "mprun": "fT",
    "capture": "",
    "notify": "",
    "debug": "b",
    "pdb": "",
}
_INSTALL = re.compile(
    r"^(?:sudo\s+)?(?:[\w./{}]*python[\d.]*\s+-m\s+|\{sys\.executable\}\s+-m\s+)?(?P<tool>pip[\d.]*|uv\s+pip|uv|conda|mamba)\s+"
    r"(?:install|add)\b(?P<rest>.*)$"
)
_SEPARATOR = re.compile(r"&&|\|\||[;|\n]")
_REDIRECTION = re.compile(r"\s\d?>>?\s*[\w./&]+|\d>&\d|\s#.*$")
_WITH_VALUE = re.compile(
    r"-[rciftenp]|--(?:requirement|constraint|channel|index-url|extra-index-url|find-links|target|editable|trusted-host|"
    r"proxy|prefix|root|progress-bar|cache-dir|name|python|timeout|retries)"
)
"""Options of installers that are followed by a value."""
_NETWORK = re.compile(
    r"(?:^|[\s;&|(])(?:wget|curl|kaggle|gdown|axel|aria2c|gsutil|aws\s+s3|git\s+(?:clone|pull|fetch)|huggingface-cli|"
    r"apt(?:-get)?\s+install)\b"
)


def requirements_of(command: str) -> tuple[str, ...]:
    """Return what a shell command installs, as requirements (PEP 508).

    Paths, URLs, files of requirements and whatever is filled in when the command runs are left out.

    Example:
        >>> requirements_of("pip install -q -U 'pandas>=2' xgboost==2.0 -r extra.txt 2>/dev/null")
        ('pandas>=2', 'xgboost==2.0')
        >>> requirements_of("conda install -y -c conda-forge lightgbm=4.1")
        ('lightgbm==4.1',)
    """
    found: list[str] = []
    for part in _SEPARATOR.split(command):
        match = _INSTALL.match(_REDIRECTION.sub("", part).strip())
        if match:
            conda = match["tool"] in ("conda", "mamba")
            found += [one for word in _words(match["rest"]) if (one := _requirement(word, conda=conda))]
    return tuple(dict.fromkeys(found))


def needs_network(command: str) -> bool:
    """Tell whether a shell command fetches data. Installing packages does not count: the project declares them.

    Example:
        >>> needs_network("wget -q https://example.org/data.csv"), needs_network("ls data")
        (True, False)
    """
    return bool(_NETWORK.search(command))


def without_options(magic: str, rest: str) -> str:
    """Return the code behind a measuring command.

    Example:
        >>> without_options("timeit", "-n 10 -r3 model.predict(X)")
        'model.predict(X)'
    """
    valued = _VALUED.get(magic, "")
    while found := re.match(r"\s*-(?P<flag>[A-Za-z])(?P<glued>[^\s-]\S*)?(?:\s+|$)", rest):
        rest = rest[found.end() :]
        if found["flag"] in valued and not found["glued"]:
            rest = rest.lstrip().partition(" ")[2]
    return rest.strip()


def _words(text: str) -> Iterator[str]:
    try:
        words = iter(shlex.split(text))
    except ValueError:
        words = iter(text.split())
    for word in words:
        if _WITH_VALUE.fullmatch(word):
            next(words, None)
        elif not word.startswith("-"):
            yield word


def _requirement(word: str, *, conda: bool) -> str:
    if conda:
        word = re.sub(r"(?<![=<>!~])=(?!=)", "==", word.rpartition("::")[2])
    try:
        requirement = Requirement(word)
    except InvalidRequirement:
        return ""
    return "" if requirement.url or requirement.name in ("python", "pip") else word
