"""Write down what only this machine knows: its interpreter, its uv, and where this modelwright was installed from.

Called by create. The facts go into ``.modelwright/``, a folder that git ignores by itself, so that ``make test`` works
straight away also where modelwright is on no index; without the folder the project's Makefile uses its defaults.
Source: PEP 610 (direct_url.json says where a distribution was installed from).
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import Distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from uv import find_uv_bin

FOLDER = ".modelwright"


def machine_facts() -> dict[str, str]:
    """Return the variables of the Makefile whose values depend on this machine.

    Example:
        >>> sorted(machine_facts())[-2:]
        ['PYTHON', 'UV']
    """
    facts = {"PYTHON": sys.executable}
    try:
        facts["UV"] = find_uv_bin()
    except FileNotFoundError:
        facts["UV"] = ""
    origin = install_origin(Distribution.from_name("modelwright").read_text("direct_url.json") or "")
    return facts | ({"MODELWRIGHT": origin} if origin else {})


def install_origin(direct_url: str) -> str:
    """Return what to give to ``pip install`` to get the same modelwright; empty if it came from an index.

    Args:
        direct_url: Content of ``direct_url.json``; empty without one.

    Example:
        >>> install_origin('{"url": "file:///src/modelwright", "dir_info": {"editable": true}}')
        '-e "/src/modelwright"'
        >>> install_origin('{"url": "https://models.internal/modelwright-0.1.0-py3-none-any.whl", "archive_info": {}}')
        '"modelwright @ https://models.internal/modelwright-0.1.0-py3-none-any.whl"'
    """
    if not direct_url:
        return ""
    said = json.loads(direct_url)
    url = str(said["url"])
    if said.get("dir_info", {}).get("editable"):
        return f'-e "{url2pathname(unquote(urlsplit(url).path))}"'
    if "vcs_info" in said:
        url = f"{said['vcs_info']['vcs']}+{url}@{said['vcs_info']['commit_id']}"
    if "subdirectory" in said:
        url += f"#subdirectory={said['subdirectory']}"
    return f'"modelwright @ {url}"'


def write_facts(project: Path, facts: dict[str, str]) -> None:
    """Write the facts where the project's Makefile includes them from."""
    folder = project / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / ".gitignore").write_text("*\n", "utf-8")
    lines = ["# Written by modelwright new for this machine; git ignores it, and it may be deleted."]
    lines += [f"{name} := {value.replace('$', '$$').replace('#', chr(92) + '#')}" for name, value in facts.items()]
    (folder / "local.mk").write_text("\n".join(lines) + "\n", "utf-8")
