"""What a request asks, once it is read and judged.

Made by :mod:`.reader`, for the doors. Frozen data.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from modelwright.serving.inference import Table

Form = Literal["rows", "columns", "csv", "arrow", "parquet"]
"""How rows were laid out; they are answered likewise."""


class Question(NamedTuple):
    """What a request asks.

    Attributes:
        table: Its rows, in the form of the contract.
        form: How they were laid out.
        unit: What the request is about, if it says; the key of sticky assignment.
    """

    table: Table
    form: Form
    unit: str = ""
