"""Write the code that every package carries: the entry modules, the runtime, and the loader of its format.

The entry modules are static text, the same for every model; the runtime is copied verbatim.

Called by capture, and by tests that build a model folder by hand. It knows nothing of the model.
"""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

TEMPLATES = {
    "package_init.py": "__init__.py",
    "model_init.py": "model/__init__.py",
    "model_main.py": "model/__main__.py",
    "model_scenarios.py": "model/test_scenarios.py",
}
"""Per template, where it goes in the import package."""


def write_skeleton(package: Path, loader: Path) -> None:
    """Write entry modules, runtime and loader into the folder of an import package.

    Args:
        package: The folder of the import package (``…/churn``); it and its ``model`` folder are made if need be.
        loader: The loader file of the format.
    """
    runtime = package / "model" / "_runtime"
    runtime.mkdir(parents=True, exist_ok=True)
    for template, place in TEMPLATES.items():
        (package / place).write_text(files(__package__).joinpath("templates", template).read_text("utf-8"), "utf-8")
    with as_file(files("modelwright.runtime")) as source:
        for module in sorted(source.glob("*.py")):
            shutil.copyfile(module, runtime / module.name)
    shutil.copyfile(loader, runtime / loader.name)
