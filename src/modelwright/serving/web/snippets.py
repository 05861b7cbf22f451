"""Write the same request as a command line and as Python, for people to copy.

For: :mod:`.pages`. Pure.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec


def curl(base_url: str, model: str, method: str, rows: Sequence[dict[str, Any]]) -> str:
    r"""Return the request as a command for a POSIX shell.

    Example:
        >>> print(curl("http://127.0.0.1:8000", "churn", "predict", [{"city": "L'Aquila"}]))
        curl http://127.0.0.1:8000/models/churn/predict \
          -H 'Content-Type: application/json' \
          -d '{"rows":[{"city":"L'"'"'Aquila"}]}'
    """
    address = shlex.quote(f"{base_url}/models/{quote(model, safe='')}/{method}")
    body = shlex.quote(msgspec.json.encode({"rows": rows}).decode())
    return f"curl {address} \\\n  -H 'Content-Type: application/json' \\\n  -d {body}"


def python(base_url: str, model: str, method: str, rows: Sequence[dict[str, Any]]) -> str:
    """Return the request as Python.

    Example:
        >>> print(python("http://127.0.0.1:8000", "churn", "predict", [{"age": 42, "city": None}]))
        import modelwright as mw
        <BLANKLINE>
        client = mw.Client("http://127.0.0.1:8000", model="churn")
        client.predict([{'age': 42, 'city': None}])
    """
    where, name = msgspec.json.encode(base_url).decode(), msgspec.json.encode(model).decode()
    call = f"client.{method}({list(rows)!r})"
    return f"import modelwright as mw\n\nclient = mw.Client({where}, model={name})\n{call}"
