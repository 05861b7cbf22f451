"""Tell the fuzzer what JSON Schema cannot say: all columns are of one length."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Repeat the last value of each shorter column, so that what is wrong with a value stays wrong."""
    columns = case.body.get("columns") if isinstance(case.body, dict) else None
    if not isinstance(columns, dict) or not all(isinstance(column, list) and column for column in columns.values()):
        return
    most = max(map(len, columns.values()), default=0)
    even = {name: column + [column[-1]] * (most - len(column)) for name, column in columns.items()}
    case.body = case.body | {"columns": even}
