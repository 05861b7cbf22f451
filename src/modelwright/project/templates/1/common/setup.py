"""Build the wheel with setuptools, with the same content as `modelwright build`.

What never changes stands in pyproject.toml, which setuptools reads by itself. What is known only when a model has
been captured is read from the model folder: exact requirements, verified interpreters, and the card.
"""

import json
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel

MODEL = Path(__file__).parent / "src" / "{{ module }}" / "model"


class ModelWheel(bdist_wheel):
    """A wheel that installs only on the interpreters that the model was verified on."""

    def get_tag(self):
        """Return interpreter, ABI and platform."""
        if not environment or environment.get("portable"):
            return "py3", "none", "any"
        return ".".join(environment["interpreters"]), "none", "any"


def requires_python():
    """Return the versions of Python that the model was verified on."""
    minors = sorted(int(tag.removeprefix("cp3")) for tag in environment["interpreters"])
    bounds = [f">=3.{minors[0]}"]
    if not environment.get("portable"):
        between = set(range(minors[0], minors[-1])) - set(minors)
        bounds += [f"!=3.{minor}.*" for minor in sorted(between)] + [f"<3.{minors[-1] + 1}"]
    return ",".join(bounds)


environment = {}  # until a model is captured, the project can be installed in order to train it
described = {"python_requires": ">={{ python }}"}
if (MODEL / "manifest.json").is_file():
    environment = json.loads((MODEL / "manifest.json").read_text("utf-8"))["environment"]
    described = {
        "python_requires": requires_python(),
        "install_requires": environment["dependencies"],
        "long_description": (MODEL / "card.md").read_text("utf-8"),
        "long_description_content_type": "text/markdown; charset=UTF-8; variant=GFM",
    }

setup(cmdclass={"bdist_wheel": ModelWheel}, **described)
