"""One version of the model, in an environment of its own: reads rows, judges them, batches, answers.

Deployed by :mod:`.building`; asked by the router. What runs the model is the runtime that its wheel carries: this file
needs the standard library, Ray and the wheel.

It never raises to its caller, who has other libraries: an error is an answer, with a status.
"""

# mypy: ignore-errors

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from ray import serve

from model_app.answers import Refusal, columns, failed, records, refused
from model_app.bodies import Rows, read_rows
from model_app.inference_protocol import metadata, read_tensors, wanted_outputs, write_tensors

DEFAULT_BATCH_ROWS = 512
PARTS = ("documents", "encoding", "errors", "returning", "scenarios")
"""Modules of the runtime in the wheel that are used here."""

Asked = tuple[tuple[str, ...], Rows]
"""What waits for the model: methods, and rows."""


class NotProved(RuntimeError):
    """A scenario that travels with the model does not hold here, so it takes no request."""


@serve.deployment
class ModelReplica:
    """Loads a version, proves it with its own scenarios, then answers.

    Args:
        variant: Which version this is.
        limits: How much at once, and how long.
    """

    def __init__(self, variant: dict[str, Any], limits: dict[str, Any]) -> None:
        self.variant, self.limits = variant, limits
        package = import_module(f"{variant['import_name']}.model")
        self.runtime = {name: self._part(name) for name in PARTS}
        self.model = package.load(trust=variant["trust"])
        self.signature = self.model.manifest["signature"]
        self._prove(package.__path__[0])
        self._thread = ThreadPoolExecutor(1, "predict")
        gc.collect()
        gc.freeze()

    def _part(self, name: str):
        return import_module(f"{self.variant['import_name']}.model._runtime.{name}")

    def _prove(self, folder: str) -> None:
        """Run every scenario: the model is warm afterwards, and behaves as it did when it was captured."""
        for scenario in self.runtime["documents"].read_scenarios(Path(folder) / "scenarios.jsonl"):
            result = self.runtime["scenarios"].run_scenario(self.model, scenario)
            if not result.passed:
                raise NotProved(f"{self.variant['title']}: scenario {result.name!r}: {'; '.join(result.problems)}")

    def reconfigure(self, config: dict[str, Any]) -> None:
        """Take new settings without a restart.

        Args:
            config: ``batch_rows``: most rows in one call of the model, unless a single request has more.
        """
        self._batch_rows = config.get("batch_rows", DEFAULT_BATCH_ROWS)
        self._answer.set_max_batch_size(self._batch_rows)

    async def check_health(self) -> None:
        """Fail if the model is stuck: Ray then replaces the replica."""
        await asyncio.get_running_loop().run_in_executor(self._thread, int)

    async def describe(self) -> dict[str, Any]:
        """Return what is known of the version: for the metadata of the Open Inference Protocol."""
        return metadata(self.variant, self.signature)

    async def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        """Answer one request.

        Args:
            call: ``method`` (``all``: every method; empty: tensors say which outputs), ``body``, ``request_id``.

        Returns:
            ``status`` and ``content``, which is plain JSON-able data.
        """
        try:
            ask = self._tensors if not call["method"] else self._rows
            return {"status": 200, "content": await ask(call)}
        except Refusal as error:
            return refused(error)
        except self.runtime["errors"].ModelwrightError as error:
            return failed(error)

    async def _rows(self, call: dict[str, Any]) -> dict[str, Any]:
        methods = self.model.methods if call["method"] == "all" else (call["method"],)
        if not {*methods} <= {*self.model.methods}:
            known = ", ".join(self.model.methods)
            what = f"{self.variant['title']} has no method {call['method'][:40]!r}."
            raise Refusal("MW1202", what, hint=f"It has {known}; all of them at once are 'all'.", status=404)
        rows, form = read_rows(call["body"], max_rows=self.limits["max_rows"])
        answers = await self._ask(methods, rows)
        if form == "columns":
            return {"columns": columns(answers, self.runtime["encoding"].encode)}
        return {"predictions": records(self._named(methods), answers, self.runtime["encoding"].encode)}

    async def _tensors(self, call: dict[str, Any]) -> dict[str, Any]:
        rows, request = read_tensors(call["body"], self.signature["inputs"], max_rows=self.limits["max_rows"])
        wanted = {output["name"] for output in wanted_outputs(request, self.signature["outputs"])}
        named = [one for one in self._named(self.model.methods) if one[0]["name"] in wanted]
        methods = tuple(dict.fromkeys(output.get("method", "predict") for output, _ in named))
        answers = await self._ask(methods, rows)
        request_id = request["id"] if isinstance(request.get("id"), str) else call["request_id"]
        return write_tensors(self.variant, request_id, named, answers, self.runtime["encoding"].encode)

    def _named(self, methods: tuple[str, ...]) -> list[tuple[dict[str, Any], list[str]]]:
        """Return the outputs of methods, each with the names of its flat columns."""
        flat_names = self.runtime["returning"].flat_names
        outputs = [one for one in self.signature["outputs"] if one.get("method", "predict") in methods]
        return [(output, flat_names(output)) for output in outputs]

    async def _ask(self, methods: tuple[str, ...], rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
        decoded = self.runtime["encoding"].decode_rows(rows, self.signature["inputs"])
        answers = await self._answer((methods, decoded))
        if isinstance(answers, Exception):
            raise answers
        return answers

    # No wait timer: while one batch is computed the next one gathers, and it is taken whole.
    @serve.batch(
        max_batch_size=DEFAULT_BATCH_ROWS,
        batch_wait_timeout_s=0,
        batch_size_fn=lambda asked: 1 if len(asked) == 1 else sum(len(rows) for _, rows in asked),
    )
    async def _answer(self, asked: list[Asked]) -> list[Any]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer_all, asked)

    def _answer_all(self, asked: list[Asked]) -> list[Any]:
        """Answer a batch: one call of the model per set of methods that somebody wants."""
        found: dict[int, Any] = {}
        for wanted in dict.fromkeys(methods for methods, _ in asked):
            places = [place for place, (methods, _) in enumerate(asked) if methods == wanted]
            answers = self._answer_together(wanted, [asked[place][1] for place in places])
            found |= dict(zip(places, answers, strict=True))
        return [found[place] for place in range(len(asked))]

    def _answer_together(self, methods: tuple[str, ...], requests: list[Rows]) -> list[Any]:
        """Answer requests with one call; if that fails, each by itself, so that none harms another."""
        together = self._answer_one(methods, [row for rows in requests for row in rows])
        if isinstance(together, Exception):
            return [self._answer_one(methods, rows) for rows in requests] if len(requests) > 1 else [together]
        found, start = [], 0
        for rows in requests:
            found.append({name: values[start : start + len(rows)] for name, values in together.items()})
            start += len(rows)
        return found

    def _answer_one(self, methods: tuple[str, ...], rows: Rows) -> Any:
        try:
            return self.model.answer_columns(rows, methods)
        except self.runtime["errors"].ModelwrightError as error:
            return error
