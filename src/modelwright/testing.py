"""The public test kit: the contract that every format fulfils, ours and third parties' alike.

For: authors of adapters. Inherit :class:`FormatContract` in a test module, say which format and which models, and run
pytest; what the class promises is what capture and the runtime rely on. It needs nothing but modelwright and pytest.

It does not: test a model, or a package (``pytest --pyargs NAME`` does).
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from importlib.metadata import distribution
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from modelwright.capturing.capture import capture
from modelwright.capturing.distributions import owner
from modelwright.capturing.formats import Answers, Format, Opens, Saved
from modelwright.errors import LoaderError, ModelwrightError, SerialisationError, UnsafeFileError
from modelwright.runtime.acceleration import load_module

PACKAGE = "contract_model"
"""Import name that the contract pretends to capture for."""
_CHILD_TIMEOUT_S = 300
_FOREIGN_FILES = (
    b"",
    b"\0" * 64,
    b"a,b\n1,2\n",
    b'{"weights": [1, 2]}',
    b"PK\x05\x06" + b"\0" * 18,
    b"\x80\x05N.",
    b"\x93NUMPY\x01\x00\x02\x00{}",
)
"""Nothing, noise, rows, JSON, an empty ZIP, a pickle, the head of an array."""


class Trap:
    """An object whose unpickling makes a folder: the harmless stand-in for a command.

    Args:
        marker: The folder; if it is there, code has run.
    """

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


class FormatContract:
    """What every format keeps; inherit it and fill in the four members on top.

    The class is instantiated without arguments, also in a process of its own, so its module must be importable by
    file and its models must be made deterministically.

    Example::

        class TestOnnx(FormatContract):
            format = OnnxFormat()

            def models(self):
                return [(fitted_model(), rows())]

            def foreign(self):
                return [object()]

            def write_hostile(self, artifacts, marker):
                (artifacts / "model.onnx").write_bytes(...)
    """

    format: Format

    def models(self) -> list[tuple[Any, Any]]:
        """Return models that the format can hold, each with rows to predict; the same in every process."""
        raise NotImplementedError

    def foreign(self) -> list[object]:
        """Return objects that the format must not hold."""
        raise NotImplementedError

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        """Write an artifact that would run code when it is loaded (make the folder ``marker``); return its options."""
        raise NotImplementedError

    def whole(self) -> tuple[Any, Any]:
        """Return a model and rows that capture takes; by default the first of the models."""
        return self.models()[0]

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:  # noqa: ARG002 (for those who override it)
        """Return files (or folders) as the library itself writes them: each with rows, and what the model answers.

        Args:
            folder: Where to write them.

        Returns:
            Path, rows, and the answers that are expected; nothing for a format that opens no files.
        """
        return []

    def answers(self, model: Any, rows: Any) -> Any:
        """Return what a model answers, as something ``==`` compares or an array; ``predict`` by default."""
        return model.predict(rows)

    def _answering(self) -> list[tuple[Any, Any]]:
        """Return the models as capture asks and saves them, with rows as they take them."""
        if not isinstance(self.format, Answers):
            return self.models()
        adapted = [self.format.answering(model, rows) for model, rows in self.models()]
        return [(each.model, each.sample) for each in adapted]

    # What is promised

    def test_answers_are_the_same_after_a_round_trip(self, tmp_path: Path) -> None:
        """Saved and loaded, a model answers every row as before."""
        for number, (model, rows) in enumerate(self._answering()):
            folder = _folder(tmp_path, f"model-{number}")
            saved = self.format.save(model, folder, package=PACKAGE)
            loaded = _loader(self.format.loader).load(folder, saved.options, PACKAGE, list(saved.types))
            assert _listed(self.answers(loaded, rows)) == _listed(self.answers(model, rows))

    def test_audit_names_what_saving_said(self, tmp_path: Path) -> None:
        """The types that saving lists are those that the loader's audit names."""
        for number, (model, _) in enumerate(self._answering()):
            folder = _folder(tmp_path, f"model-{number}")
            saved = self.format.save(model, folder, package=PACKAGE)
            named = _loader(self.format.loader).audit(folder, saved.options, PACKAGE)
            assert sorted(named) == sorted(saved.types)

    def test_the_same_model_gives_the_same_bytes(self, tmp_path: Path) -> None:
        """Saving one model twice gives equal files."""
        for number, (model, _) in enumerate(self._answering()):
            first, second = _folder(tmp_path, f"a-{number}"), _folder(tmp_path, f"b-{number}")
            self.format.save(model, first, package=PACKAGE)
            self.format.save(model, second, package=PACKAGE)
            assert _digests(first) == _digests(second)

    def test_another_process_writes_the_same_bytes_and_loads_ours(self, tmp_path: Path) -> None:
        """Another process, with another hash seed, writes equal files, and loads ours with the loader file alone."""
        ours: list[dict[str, Any]] = []
        for number, (model, rows) in enumerate(self._answering()):
            folder = _folder(tmp_path, f"ours-{number}")
            saved = self.format.save(model, folder, package=PACKAGE)
            moved = tmp_path / f"moved-{number}"
            shutil.move(folder, moved)
            answers = _listed(self.answers(model, rows))
            ours.append({"folder": str(moved), "saved": _plain(saved), "answers": answers, "digests": _digests(moved)})
        loader = tmp_path / "carried" / self.format.loader.name
        loader.parent.mkdir()
        if self.format.loader.is_dir():
            shutil.copytree(self.format.loader, loader)
        else:
            shutil.copy(self.format.loader, loader)
        theirs = _in_another_process(
            type(self), {"folder": str(_folder(tmp_path, "theirs")), "loader": str(loader)}, ours
        )
        assert [each["digests"] for each in theirs] == [each["digests"] for each in ours]
        assert [each["answers"] for each in theirs] == json.loads(json.dumps([each["answers"] for each in ours]))

    def test_foreign_objects_are_not_held(self, tmp_path: Path) -> None:
        """What the format must not hold is not claimed, or refused with a typed error."""
        for number, value in enumerate(self.foreign()):
            if self.format.claims(value) == 0:
                continue
            try:
                self.format.save(value, _folder(tmp_path, f"foreign-{number}"), package=PACKAGE)
            except SerialisationError:
                continue
            raise AssertionError(f"{value!r} was claimed and saved")

    def test_nothing_runs_before_the_audit_has_spoken(self, tmp_path: Path) -> None:
        """A hostile artifact is named by the audit and refused, or the format says that loading executes code."""
        artifacts, marker = _folder(tmp_path, "hostile"), tmp_path / "ran"
        options = self.write_hostile(artifacts, marker)
        loader = _loader(self.format.loader)
        named = loader.audit(artifacts, options, PACKAGE)
        assert not marker.exists(), "the audit itself ran code"
        if self.format.executes_code:
            return
        assert named, "a format that says it executes no code must name what would"
        with suppress(Exception):  # any refusal is fine; that nothing ran is checked below
            loader.load(artifacts, options, PACKAGE, [])
        assert not marker.exists(), "loading without trust ran code"

    def test_files_of_the_library_are_known_by_content_and_opened(self, tmp_path: Path) -> None:
        """A file that the library wrote is recognised whatever it is called, opened, and answers the same."""
        for number, (path, rows, expected) in enumerate(self.files(_folder(tmp_path, "files"))):
            assert isinstance(self.format, Opens)
            renamed = path.rename(tmp_path / f"no-telling-name-{number}")
            report = self.format.examine(renamed)
            assert report is not None, f"{path.name} is not recognised"
            assert report.kind
            model = self.format.open(renamed, trust=("file",))
            if isinstance(self.format, Answers):
                adapted = self.format.answering(model, rows)
                model, rows = adapted.model, adapted.sample
            assert _listed(self.answers(model, rows)) == _listed(expected)

    def test_files_of_others_are_not_taken_for_its_own(self, tmp_path: Path) -> None:
        """Text, nothing, a bare ZIP, a pickle and an array are of no format that opens files of its library."""
        if not isinstance(self.format, Opens):
            return
        for number, content in enumerate(_FOREIGN_FILES):
            path = tmp_path / f"{number}"
            path.write_bytes(content)
            with suppress(LoaderError, UnsafeFileError):  # it may say that its own kind is damaged
                assert self.format.examine(path) is None, content[:20]

    def test_a_file_that_is_cut_off_is_refused(self, tmp_path: Path) -> None:
        """Half of a file is not known, or refused with a typed error; the other half is never made up."""
        for number, (path, _, _) in enumerate(self.files(_folder(tmp_path, "files"))):
            assert isinstance(self.format, Opens)
            if path.is_dir():
                continue
            half = tmp_path / f"half-{number}"
            half.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            with suppress(ModelwrightError):
                if self.format.examine(half) is not None:
                    self.format.open(half, trust=("file",))
                    raise AssertionError(f"half of {path.name} was opened")

    def test_a_captured_model_requires_all_it_needs(self, tmp_path: Path) -> None:
        """Captured whole, from the live model and from each file, it runs in a process that has what it requires."""
        model, rows = self.whole()
        sources = [(model, rows), *((path, given) for path, given, _ in self.files(_folder(tmp_path, "files")))]
        for number, (source, given) in enumerate(sources):
            package = capture(
                source,
                given,
                name=f"contract-model-{number}",
                version="1.0",
                to=tmp_path,
                format=self.format,
                trust="file",
            )
            assert package.manifest.storage.format == self.format.name
            assert package.manifest.environment.portable == self.format.portable

    def test_the_loader_is_of_the_standard_library(self) -> None:
        """The loader imports the standard library at its top, declared distributions inside its functions only."""
        whole = self.format.loader.is_dir()
        for path in sorted(self.format.loader.rglob("*.py")) if whole else [self.format.loader]:
            tree = ast.parse(path.read_text("utf-8"))
            for node in ast.walk(tree):
                for module in _imported(node, whole=whole):
                    top = module.partition(".")[0]
                    if top in sys.stdlib_module_names:
                        continue
                    assert node not in tree.body, f"{module} is imported at the top of {path.name}"
                    known = {name.lower() for name in self.format.distributions}
                    assert owner(module) in known, f"{module} is of no declared distribution"

    def test_the_loader_has_the_two_functions(self) -> None:
        """``audit`` and ``load`` take what the runtime gives them."""
        loader = _loader(self.format.loader)
        assert list(inspect.signature(loader.audit).parameters) == ["artifacts", "options", "package"]
        assert list(inspect.signature(loader.load).parameters) == ["artifacts", "options", "package", "trusted"]

    def test_declared_distributions_are_real(self) -> None:
        """What the format says it needs is what an installer can find."""
        for name in self.format.distributions:
            assert distribution(name).version

    def test_it_is_a_format(self) -> None:
        """The plug-in has every member of the protocol."""
        assert isinstance(self.format, Format)


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


def _loader(path: Path) -> ModuleType:
    """Import a loader the way the runtime does: from its file or folder."""
    return load_module(path.stem, path.parent, PACKAGE)


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _plain(saved: Saved) -> dict[str, Any]:
    return {"options": saved.options, "types": list(saved.types)}


def _listed(answers: Any) -> Any:
    return answers.tolist() if hasattr(answers, "tolist") else answers


def _imported(node: ast.AST, *, whole: bool) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert not node.level or whole, "a loader that is a file has no neighbours to import from"
        return [] if node.level else [node.module or ""]
    return []


def _in_another_process(kind: type, places: dict[str, str], ours: list[dict[str, Any]]) -> list[dict[str, Any]]:
    question = {"file": inspect.getfile(kind), "name": kind.__qualname__, "ours": ours, **places}
    environment = {**os.environ, "PYTHONHASHSEED": "1234"}
    code = "from modelwright.testing import _answer_as_another_process as answer; answer()"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=json.dumps(question).encode(),
        capture_output=True,
        env=environment,
        timeout=_CHILD_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    answer: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _answer_as_another_process() -> None:
    """Save the contract's models here, and load the ones that were brought along; the other side compares."""
    question = json.load(sys.stdin)
    sys.path.insert(0, str(Path(question["file"]).parent))
    module = _named_module(Path(question["file"]))
    contract: FormatContract = getattr(module, question["name"])()
    loader, answers = _loader(Path(question["loader"])), []
    for number, ((model, rows), our) in enumerate(zip(contract._answering(), question["ours"], strict=True)):
        folder = _folder(Path(question["folder"]), str(number))
        contract.format.save(model, folder, package=PACKAGE)
        loaded = loader.load(Path(our["folder"]), our["saved"]["options"], PACKAGE, our["saved"]["types"])
        answers.append({"digests": _digests(folder), "answers": _listed(contract.answers(loaded, rows))})
    sys.stdout.write("\n" + json.dumps(answers) + "\n")


def _named_module(path: Path) -> ModuleType:
    spec = spec_from_loader(path.stem, SourceFileLoader(path.stem, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[path.stem] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


__all__ = ["FormatContract", "Trap"]
