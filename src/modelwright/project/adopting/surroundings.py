"""What the parts that look for trouble in a project are given.

Made by :mod:`modelwright.project.adopting.adopt`.
"""

from __future__ import annotations

from typing import NamedTuple

from modelwright.project.adopting.declared import Declared
from modelwright.project.adopting.layout import Layout
from modelwright.project.adopting.report import Judged, SavedModel, Training
from modelwright.project.adopting.tree import Tree


class Surroundings(NamedTuple):
    """Everything that is known about a project when its files are checked."""

    tree: Tree
    layout: Layout
    declared: Declared
    backend: str
    models: tuple[SavedModel, ...]
    training: tuple[Training, ...]
    requirements: tuple[Judged, ...]
