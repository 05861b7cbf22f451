"""Which stage is written into which module, and what its function is called.

Called by everything that writes code of the project.
"""

from __future__ import annotations

from typing import NamedTuple

from modelwright.project.notebook.roles import Stage


class Place(NamedTuple):
    """Where the function of a stage stands.

    Attributes:
        module: Name of its module.
        function: Its name.
        summary: First line of its docstring.
        step: The stage in one word, as progress and proof name it.
    """

    module: str
    function: str
    summary: str
    step: str


PLACES = {
    Stage.LOAD: Place("data", "load_data", "Load the data", "load"),
    Stage.PREPROCESS: Place("data", "preprocess", "Clean and prepare the data", "preprocess"),
    Stage.FEATURES: Place("features", "build_features", "Build the features", "features"),
    Stage.SPLIT: Place("splitting", "split_data", "Divide the rows", "split"),
    Stage.TRANSFORM: Place("splitting", "transform_parts", "Transform the parts of the data", "transform"),
    Stage.DEFINE: Place("modeling", "define_models", "Define what is trained", "define"),
    Stage.TRAIN: Place("modeling", "train_models", "Train", "train"),
    Stage.EVALUATE: Place("modeling", "evaluate_models", "Measure, and choose", "evaluate"),
    Stage.IMPORTANCE: Place("modeling", "explain_model", "Say what matters to the model", "importance"),
    Stage.DELIVER: Place("modeling", "deliver", "Write the results", "deliver"),
}
MODULES = ("data", "features", "splitting", "modeling")
"""Modules of the stages, in the order in which they may import one another: later from earlier."""
SUMMARIES = {
    "data": "Load and prepare the data.",
    "features": "Build the features.",
    "splitting": "Divide the rows, and transform the parts.",
    "modeling": "Define, train, evaluate and explain the model.",
    "visualization": "Look at the data and the model: what the notebook drew and showed.",
}
