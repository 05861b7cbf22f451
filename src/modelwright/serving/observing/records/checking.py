"""Say what is wrong with the settings of the record log, before anything is served.

Called by the record log and, with the models that are to be served, by whoever starts the server. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from modelwright.errors import Problem, RecordLogError
from modelwright.runtime.suggestions import nearest
from modelwright.serving.contract import Contract
from modelwright.serving.deployment import RecordSettings


def check(settings: RecordSettings, contracts: Iterable[Contract]) -> None:
    """Check that settings can be honoured.

    Args:
        settings: The settings.
        contracts: What is to be served; without any, the names of columns are not checked.

    Raises:
        RecordLogError: A share that is none, a hash without a salt, a name that no model has: every problem is listed.
            A misspelt name would write in clear what was to be dropped.
    """
    problems = [*_plain(settings), *_names(settings, list(contracts))]
    if problems:
        raise RecordLogError("The settings of the record log cannot be honoured.", where="records", problems=problems)


def _plain(settings: RecordSettings) -> Iterable[Problem]:
    if not 0.0 <= settings.sample <= 1.0:
        yield Problem(None, None, f"{settings.sample} is no share", "give 0 to 1", item="sample")
    if "hash" in settings.columns.values() and not settings.salt:
        yield Problem(None, None, "is needed to hash values", "set a secret of 16 or more characters", item="salt")


def _names(settings: RecordSettings, contracts: list[Contract]) -> Iterable[Problem]:
    known = {"*", "unit"}.union(*({*contract.fields, *contract.method_of} for contract in contracts))
    for name in settings.columns if contracts else ():
        if name not in known:
            meant = nearest(name, sorted(known))
            hint = f"did you mean {meant!r}?" if meant else ""
            yield Problem(None, name, "is a field or output of no model", hint)
