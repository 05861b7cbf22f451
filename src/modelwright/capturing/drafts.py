"""Write the manifest and the scenarios of a staged model, and hold its faster form to them.

Called by capture. A form that breaks a scenario is dropped, and both are written again as they are without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from modelwright.capturing.accelerating import Form, Sought, broken_scenario
from modelwright.capturing.description import Description
from modelwright.capturing.drafting import About, draft_manifest
from modelwright.capturing.proving import write_scenarios
from modelwright.capturing.rules import Rule
from modelwright.capturing.staging import Stage
from modelwright.capturing.storing import Stored
from modelwright.runtime.acceleration import FOLDER
from modelwright.runtime.model import Model
from modelwright.spec.environment import Environment
from modelwright.spec.manifest import Manifest
from modelwright.spec.scenario import Scenario
from modelwright.steps import Listener, timed


class Draft(NamedTuple):
    """What is written.

    Attributes:
        manifest: Without evaluations, importance and dependencies.
        scenarios: All of them hold, for the model and for its form.
        form: The faster form that is kept.
    """

    manifest: Manifest
    scenarios: tuple[Scenario, ...]
    form: Form | None

    @property
    def distributions(self) -> tuple[str, ...]:
        """What the form needs beside what the model needs."""
        return self.form.accelerator.distributions if self.form else ()


class Drafting(NamedTuple):
    """What manifest and scenarios are written from.

    Attributes:
        about: What the user says.
        model: The live model, for its hyperparameters.
        described: Its signature and answers.
        stored: How it is stored.
        stage: Where all is written.
        environment: The environment, dependencies not yet known.
        rules: Scenarios of the user.
        listener: Told about each finished step.
    """

    about: About
    model: Any
    described: Description
    stored: Stored
    stage: Stage
    environment: Environment
    rules: Sequence[Rule]
    listener: Listener

    def write(self, sought: Sought) -> Draft:
        """Write both, with the form that was found if it holds.

        Raises:
            ModelMismatchError: See :func:`modelwright.capturing.proving.write_scenarios`.
            ScenarioError: A scenario of the user does not hold.
        """
        draft = self._written(sought)
        if sought.form is None:
            return draft
        why = broken_scenario(self.described, sought.form, sought.outputs, draft.scenarios)
        if not why:
            self.stage.write_loaders(sought.form.accelerator.loader)
            return draft
        self.stage.drop_artifacts(FOLDER)
        return self._written(sought.without(why, self.described.signature.outputs))

    def _written(self, sought: Sought) -> Draft:
        signature = msgspec.structs.replace(self.described.signature, outputs=sought.outputs)
        described = self.described._replace(signature=signature)
        manifest = draft_manifest(
            self.about,
            model=self.model,
            described=described,
            stored=self.stored,
            stage=self.stage,
            environment=self.environment,
            accelerations=sought.records,
        )
        with timed("scenarios", self.listener) as note:
            live = Model(described.live.model, msgspec.to_builtins(manifest))
            scenarios = write_scenarios(live, described, self.rules)
            self.stage.write_scenarios(scenarios)
            self.stage.write_manifest(manifest)
            note.detail = f"{len(scenarios)} with {sum(len(scenario.inputs) for scenario in scenarios)} rows"
        return Draft(manifest, scenarios, sought.form)
