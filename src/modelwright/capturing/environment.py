"""Find out what a staged model needs to run, in a fresh process that has nothing else, and lock it.

Called by capture: started when everything but the environment is staged, settled when the answer is wanted, so that
the process and the resolution run while the live model is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from modelwright.capturing import locking
from modelwright.capturing.code import Collected
from modelwright.capturing.dependencies import Inferring, Requirements, infer
from modelwright.capturing.interpreter import platform_tag, python_tag, python_version
from modelwright.capturing.proving import check_answers, examples
from modelwright.capturing.staging import Stage
from modelwright.capturing.storing import Stored
from modelwright.capturing.trace import Trace
from modelwright.errors import ModelMismatchError
from modelwright.spec.environment import Environment, Pins
from modelwright.spec.scenario import Scenario
from modelwright.spec.signature import Signature
from modelwright.steps import Listener, timed


class Needs(NamedTuple):
    """What the user says about the environment; see :func:`modelwright.capture`."""

    requirements: Sequence[str]
    pins: Pins
    system_libraries: Sequence[str]
    index_url: str | None
    trust: Sequence[str]


def this_environment(stored: Stored, collected: Collected, needs: Needs) -> Environment:
    """Return the environment as far as it is known before the model has run elsewhere: no dependencies yet."""
    return Environment(
        python=python_version(),
        interpreters=(python_tag(),),
        portable=stored.portable,
        platform=platform_tag(),
        dependencies=(),
        pins=needs.pins,
        variables=collected.variables,
        system_libraries=tuple(needs.system_libraries),
    )


class Settling:
    """The inference and the lock, under way.

    Args:
        stage: The staged package, complete but for its environment.
        stored: How its model is stored.
        collected: Its code.
        signature: Its signature; the library of its container belongs to the environment.
        scenarios: Its scenarios; the fresh process answers the rows of the examples.
        needs: What the user says.
        distributions: What is imported beside the loader's own: by a faster form of the model.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        stored: Stored,
        collected: Collected,
        signature: Signature,
        scenarios: Sequence[Scenario],
        needs: Needs,
        distributions: Sequence[str] = (),
    ) -> None:
        self._stage = stage
        self._signature = signature
        self._scenarios = scenarios
        self._needs = needs
        container = [] if signature.container in ("records", "columns") else [signature.container]
        self._inferring: Inferring = infer(
            stage.root,
            stage.package,
            [row for scenario in examples(scenarios) for row in scenario.inputs],
            imports=collected.imports,
            modules=[*collected.model_modules, *container],
            distributions=[*stored.distributions, *distributions],
            requirements=needs.requirements,
            pins=needs.pins,
            trust=[*needs.trust, *stored.storage.types],
        )
        try:
            self._resolving = self._start_lock(self._inferring.expected)
        except BaseException:
            self._inferring.stop()
            raise

    def result(self, environment: Environment, listener: Listener) -> Environment:
        """Wait for both, write the lock files, and return the complete environment.

        Raises:
            TraceError: The model does not run in a fresh process.
            ModelMismatchError: It answers differently there.
            DependencyError: A module belongs to no distribution that can be installed.
            LockError: The environment cannot be locked.
        """
        with timed("fresh process", listener) as note:
            found, trace = self._inferring.result(self._answers_hold)
            check_answers(self._scenarios, trace.answers, self._signature.outputs)
            note.detail = f"loads in {trace.load_seconds:.2f} s, answers the same; needs {', '.join(found.direct)}"
        with timed("lock", listener) as note:
            if found.direct != self._inferring.expected.direct:
                self._resolving.stop()
                self._resolving = self._start_lock(found)
            locked = self._resolving.result()
            self._stage.write("pylock.toml", locked.pylock)
            self._stage.write("requirements.txt", locked.requirements)
            note.detail = f"{len(locked.packages)} distributions with hashes" + f"; {locked.note}".rstrip("; ")
        return msgspec.structs.replace(environment, dependencies=found.direct)

    def stop(self) -> None:
        """Give up both."""
        self._inferring.stop()
        self._resolving.stop()

    def _start_lock(self, found: Requirements) -> locking.Resolving:
        return locking.start(found.direct, installed=found.installed, index_url=self._needs.index_url)

    def _answers_hold(self, trace: Trace) -> bool:
        try:
            check_answers(self._scenarios, trace.answers, self._signature.outputs)
        except ModelMismatchError:
            return False
        return True
