"""What a project says about itself, whatever file it says it in, in the words of PEP 621.

Made by the readers of setup.py, setup.cfg, poetry's and [project] tables; used for the proposal and for comparing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from modelwright.project.adopting.report import Finding


@dataclass
class Declared:
    """What a project declares.

    Attributes:
        style: ``setup.py``, ``setup.cfg``, ``poetry`` or ``project``.
        table: The equivalent ``[project]`` table.
        groups: Equivalent ``[dependency-groups]``.
        sources: Folder of each top-level package root (``{"": "src"}``), as setuptools' ``package_dir``.
        packages: Dotted names of the packages that are installed; ``None``: the backend finds them.
        package_data: Globs of data files by package (``""`` for all).
        includes_data: Whether everything that MANIFEST.in or git names is installed too.
        modules: Single modules outside of packages (``py_modules``).
        data_files: Files installed outside of any package.
        scripts: Files of ``scripts=[…]``.
        license_text: What the project calls its licence if that is no SPDX expression.
        unread: What could not be read without running the project: keyword, reason and place.
        findings: What there is to say about it.
        removable: Files and tables that nothing reads after the change.
    """

    style: str
    table: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    packages: list[str] | None = None
    package_data: dict[str, list[str]] = field(default_factory=dict)
    includes_data: bool = True
    modules: list[str] = field(default_factory=list)
    data_files: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    license_text: str = ""
    unread: list[tuple[str, str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    removable: list[str] = field(default_factory=list)
