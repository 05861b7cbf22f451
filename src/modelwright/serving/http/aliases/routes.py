"""Find the handler of a path of another server.

Called by the gateway for paths that no door of ours knows.
"""

from __future__ import annotations

from modelwright.serving.http.aliases import mlflow, tfserving
from modelwright.serving.http.route import Names, Route

_FIXED = {
    "/invocations": Route(mlflow.invocations, "POST", mlflow.write_error),
    "/ping": Route(mlflow.ping, "GET", mlflow.write_error, guarded=False),
    "/health": Route(mlflow.ping, "GET", mlflow.write_error, guarded=False),
    "/version": Route(mlflow.version, "GET", mlflow.write_error, guarded=False),
}


def match(path: str) -> Route | None:
    """Return where a path leads; ``None`` if no alias has it.

    Example:
        >>> match("/v1/models/churn/versions/1.3.0:predict").names
        Names(model='churn', version='1.3.0')
        >>> match("/invocations").method, match("/v1/models/churn:classify")
        ('POST', None)
    """
    fixed = _FIXED.get(path)
    if fixed is not None or not path.startswith("/v1/models/"):
        return fixed
    place, verb, call = path[11:].rpartition(":")
    parts = (place if verb else path[11:]).split("/")
    told = not verb and parts[-1:] == ["metadata"] and len(parts) in (2, 4)
    names = _names(parts[:-1] if told else parts)
    if names is None or (verb and call != "predict"):
        return None
    if verb:
        return Route(tfserving.predict, "POST", tfserving.write_error, names=names)
    return Route(tfserving.metadata if told else tfserving.status, "GET", tfserving.write_error, names=names)


def _names(parts: list[str]) -> Names | None:
    if len(parts) == 1 and parts[0]:
        return Names(parts[0])
    if len(parts) == 3 and parts[1] == "versions" and parts[0] and parts[2]:
        return Names(parts[0], parts[2])
    return None
