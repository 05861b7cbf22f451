"""Find what stands in the way of capturing and building a model in a project, whatever its wheel holds.

Called by :mod:`modelwright.project.adopting.adopt`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.requirements import Requirement

from modelwright.errors import AdoptError
from modelwright.package import MODEL_FOLDER
from modelwright.project.adopting.report import Finding
from modelwright.project.adopting.static_code import parse
from modelwright.project.adopting.surroundings import Surroundings


def check_obstacles(around: Surroundings) -> list[Finding]:
    """Return what would make capture or build fail or go wrong."""
    return [*_unreadable_code(around), *_collisions(around), *_linked(around), *_versions(around)]


def _versions(around: Surroundings) -> Iterator[Finding]:
    """Compare the versions that saved models note with those that the requirements pin."""
    pins = {each.name: each for each in around.requirements if re.match(r"[\w.-]+\s*==", each.text)}
    for model in around.models:
        for name, version in model.versions.items():
            pin = pins.get(name)
            if pin is not None and not Requirement(pin.text).specifier.contains(version, prereleases=True):
                yield Finding(
                    severity="warning",
                    file=model.path,
                    what=f"It was saved by {name} {version}; {pin.file}, line {pin.line}, says {pin.text}.",
                    why="Another version may load it and give other answers without a word.",
                    fix=f"Train it again with the pinned version, or write {name}=={version}.",
                )


def _collisions(around: Surroundings) -> Iterator[Finding]:
    module = f"{around.layout.package}/{MODEL_FOLDER}.py"
    folder = f"{around.layout.package}/{MODEL_FOLDER}"
    code = [f for f in around.tree.below(folder) if f.endswith(".py")]
    if module in around.tree.known:
        hidden = module
    elif code and f"{folder}/manifest.json" not in around.tree.known:
        hidden = folder
    else:
        return
    yield Finding(
        severity="blocks",
        file=hidden,
        what=f"Captured models stand in {folder}/, which would take its place.",
        why=f"import {around.layout.module}.{MODEL_FOLDER} would find the captured model instead of this code.",
        fix=f"git mv {hidden} {hidden.replace(f'/{MODEL_FOLDER}', '/modeling', 1)}, and its imports with it.",
    )


def _linked(around: Surroundings) -> Iterator[Finding]:
    for link in around.tree.links:
        path = around.tree.root / link
        inside = path.exists() and path.resolve().is_relative_to(around.tree.root / around.layout.source)
        if link.startswith(f"{around.layout.package}/") and (path.is_dir() or not inside):
            yield Finding(
                severity="blocks",
                file=link,
                what="It is a symbolic link, which a wheel cannot hold.",
                why=f"It leads to {path.readlink()}.",
                fix="Replace it by the file that it points to.",
            )


def _unreadable_code(around: Surroundings) -> Iterator[Finding]:
    """Find code of the package that is no Python 3."""
    for file in around.tree.below(around.layout.package):
        if file.endswith(".py"):
            try:
                parse(around.tree.text(file), where=file)
            except AdoptError as error:
                yield Finding(
                    severity="blocks", file=file, what=error.what, why=f"{error.where}: {error.why}", fix=error.hint
                )
