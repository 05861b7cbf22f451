"""Examples are tests: docstrings of the library, and the code blocks of README and the documentation.

Console blocks (```` ```console ````) are run line by line in a folder of their own that all blocks of a page share,
and what they print must begin with what the page shows; see :mod:`docs.conftest`.
"""

from __future__ import annotations

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.rest import DocTestParser

pytest_collect_file = Sybil(
    parsers=[DocTestParser()],
    patterns=["src/modelwright/**/*.py"],
    excludes=["src/modelwright/capturing/templates/*.py"],
    document_types={".py": PythonDocStringDocument},
).pytest()
