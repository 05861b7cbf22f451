"""The torch-export format: exported programs, and the .pt2 files that torch.export.save writes."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from networks import Branching, Image, OneRow, Tabular, Text, answered, images, seeded, table, texts

from modelwright.adapters.formats.torch_export import FORMAT
from modelwright.adapters.loaders import torch_loader
from modelwright.adapters.loaders.torch_loader import programs
from modelwright.capturing.opening import open_model
from modelwright.errors import LoaderError, ModelMismatchError, PinError, SerialisationError, UnsafeFileError
from modelwright.testing import FormatContract, Trap

CONFIG, MODEL = "data/weights/model_weights_config.json", "models/model.json"


def exported(path: Path, rows: int | None = None) -> Path:
    """Write what torch.export.save writes, for any number of rows or for a fixed one."""
    axes = None if rows else ({0: torch.export.Dim("rows")},)
    program = torch.export.export(seeded(Tabular).eval(), (torch.ones(rows or 2, 4),), dynamic_shapes=axes)
    torch.export.save(program, path)
    return path


def edited(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write an archive again with other members."""
    with zipfile.ZipFile(source) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    inner = {name.partition("/")[2]: content for name, content in parts.items()}
    change(inner)
    with zipfile.ZipFile(target, "w") as new:
        for name, content in inner.items():
            new.writestr(f"model/{name}", content)
    return target


def listed(answers: Any) -> Any:
    if isinstance(answers, dict):
        return {name: values.tolist() for name, values in answers.items()}
    return answers.tolist()


class TestTorchExport(FormatContract):
    format = FORMAT

    def models(self) -> list[tuple[Any, Any]]:
        return [
            (seeded(Tabular), table()),
            (seeded(Tabular), pd.DataFrame(table(), columns=list("abcd"))),
            (seeded(Text), texts()),
            (seeded(Image), images()),
            (seeded(OneRow), table()),
        ]

    def foreign(self) -> list[object]:
        return [
            object(),
            "text",
            {"weight": torch.ones(2)},
            torch.ones(2),
            torch.jit.trace(Tabular().eval(), torch.ones(2, 4)),
        ]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        def change(parts: dict[str, bytes]) -> None:
            config = json.loads(parts[CONFIG])
            config["config"]["first.weight"] |= {"use_pickle": True}
            parts[CONFIG] = json.dumps(config).encode()
            parts["data/weights/weight_0"] = pickle.dumps(Trap(marker))

        edited(exported(artifacts / "whole.pt2"), artifacts / torch_loader.PROGRAM, change)
        (artifacts / "whole.pt2").unlink()
        return {"kind": "program", "inputs": [{"name": "x", "dtype": "float32"}], "positional": 1, "one": False}

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:
        rows = table().astype("float32")
        return [(exported(folder / "tabular.pt2"), rows, answered(seeded(Tabular), torch.from_numpy(rows)))]

    def answers(self, model: Any, rows: Any) -> Any:
        return listed(model.predict(rows))


def test_the_callers_module_is_left_as_it_was() -> None:
    module = seeded(Tabular)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    FORMAT.answering(module, table())
    assert module.training
    assert module.norm.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module.first.weight.requires_grad


def test_it_answers_as_the_module_does() -> None:
    adapted = FORMAT.answering(seeded(Tabular), table())
    assert adapted.sample.dtype == np.float32
    wanted = answered(seeded(Tabular), torch.from_numpy(adapted.sample))
    assert np.allclose(adapted.model.predict(adapted.sample), wanted, rtol=1e-5)


def test_integers_stay_integers_and_become_numbers_only_where_the_network_wants_them() -> None:
    assert FORMAT.answering(seeded(Text), texts()).model.dtypes == ["int64", "float32"]
    assert FORMAT.answering(seeded(Tabular), np.arange(8).reshape(2, 4)).model.dtypes == ["float32"]


def test_rows_come_in_any_container() -> None:
    model = FORMAT.answering(seeded(Tabular), table()).model
    frame = pd.DataFrame(table(), columns=list("abcd"))
    columns = {name: frame[name].tolist() for name in frame}
    expected = model.predict(table()).tolist()
    for rows in (frame, columns, frame.to_dict("records"), {"x": table()}, {"x": table().tolist()}):
        assert model.predict(rows).tolist() == expected


def test_a_tuple_of_answers_gets_names() -> None:
    answers = FORMAT.answering(seeded(Image), images()).model.predict(images())
    assert {name: values.shape for name, values in answers.items()} == {"output_0": (3, 4), "output_1": (3,)}


def test_a_module_for_one_row_is_asked_row_by_row() -> None:
    adapted = FORMAT.answering(seeded(OneRow), table())
    assert adapted.model.options["one"]
    assert adapted.model.predict(adapted.sample).shape == (7, 2)


def test_code_that_depends_on_values_is_refused_with_a_way_out() -> None:
    with pytest.raises(SerialisationError) as caught:
        FORMAT.answering(seeded(Branching), table())
    assert caught.value.code == "MW604"
    assert "format='torch'" in caught.value.hint
    assert "data-dependent" in caught.value.why


def test_rows_that_are_no_numbers_or_of_the_wrong_width_are_refused() -> None:
    for rows in (pd.DataFrame({"a": ["x", "y"]}), table(columns=5)):
        with pytest.raises(ModelMismatchError) as caught:
            FORMAT.answering(seeded(Tabular), rows)
        assert caught.value.code == "MW603"
    with pytest.raises(ModelMismatchError) as caught:
        FORMAT.answering(seeded(Text), table())
    assert "'mask'" in caught.value.hint


def test_a_file_for_one_row_is_asked_row_by_row_and_for_another_number_refused(tmp_path: Path) -> None:
    model = FORMAT.answering(FORMAT.open(exported(tmp_path / "one.pt2", rows=1), trust=()), table()).model
    assert model.predict(table()).shape == (7, 2)
    with pytest.raises(ModelMismatchError) as caught:
        FORMAT.answering(FORMAT.open(exported(tmp_path / "three.pt2", rows=3), trust=()), table())
    assert "exactly 3 rows" in caught.value.what
    assert "Dim" in caught.value.hint


def test_a_file_saved_on_a_graphics_card_opens_on_the_cpu(tmp_path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        for name in (CONFIG, MODEL):
            parts[name] = parts[name].replace(b'{"type": "cpu", "index": null}', b'{"type": "cuda", "index": 0}')

    path = edited(exported(tmp_path / "cpu.pt2"), tmp_path / "cuda.pt2", change)
    assert b"cuda" in path.read_bytes()
    assert FORMAT.examine(path) is not None
    model = FORMAT.answering(FORMAT.open(path, trust=()), table()).model
    assert listed(model.predict(table())) == listed(
        FORMAT.answering(FORMAT.open(tmp_path / "cpu.pt2", trust=()), table()).model.predict(table())
    )


def test_a_file_with_several_inputs_is_asked_as_it_was_exported(tmp_path: Path) -> None:
    rows = torch.export.Dim("rows")
    ids, mask = torch.ones(2, 3, dtype=torch.long), torch.ones(2, 3)
    axes = {"ids": {0: rows}, "mask": {0: rows}}
    for name, program in {
        "positional": torch.export.export(seeded(Text).eval(), (ids, mask), dynamic_shapes=axes),
        "named": torch.export.export(seeded(Text).eval(), (), {"ids": ids, "mask": mask}, dynamic_shapes=axes),
    }.items():
        torch.export.save(program, tmp_path / f"{name}.pt2")
        adapted = FORMAT.answering(FORMAT.open(tmp_path / f"{name}.pt2", trust=()), texts())
        wanted = answered(seeded(Text), torch.tensor(texts()["ids"]), torch.tensor(texts()["mask"]).float())
        found = adapted.model.predict(adapted.sample)
        assert np.allclose(found["scores"], wanted["scores"], atol=1e-6)
        assert set(adapted.outputs) == {"scores", "hidden"}


def test_a_part_of_a_composed_model_is_taken_without_rows(tmp_path: Path) -> None:
    program = FORMAT.open(exported(tmp_path / "a.pt2"), trust=())
    assert FORMAT.answering(program, None).model.predict(table()).shape == (7, 2)
    given = open_model(seeded(Tabular), sample=None, choice=None, trust=())
    assert given.format is not None
    assert given.format.name == "torch"
    assert given.asked.predict(table()).shape == (7, 2)


def test_what_is_written_is_a_plain_pt2_without_rows_paths_or_pickles(tmp_path: Path) -> None:
    adapted = FORMAT.answering(seeded(Tabular), table())
    FORMAT.save(adapted.model, tmp_path, package="p")
    content = (tmp_path / torch_loader.PROGRAM).read_bytes()
    assert str(Path(__file__).parent).encode() not in content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read(f"model/{programs.EXAMPLES}") == b""
        begins = [programs._data_offset(io.BytesIO(content), entry) for entry in archive.infolist()]
    assert not [begin for begin in begins if begin % 64]
    again = torch.export.load(tmp_path / torch_loader.PROGRAM).module()
    with torch.inference_mode():
        assert np.array_equal(again(torch.from_numpy(adapted.sample)).numpy(), adapted.model.predict(adapted.sample))


def _program(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
    def changed(parts: dict[str, bytes]) -> None:
        program = json.loads(parts[MODEL])
        change(program)
        parts[MODEL] = json.dumps(program).encode()

    return changed


def _graph(program: dict[str, Any]) -> dict[str, Any]:
    return program["graph_module"]["graph"]


def _with_custom_object(parts: dict[str, bytes]) -> None:
    config = json.loads(parts["data/constants/model_constants_config.json"])
    config["config"]["shift"] |= {"path_name": "custom_obj_0"}
    parts["data/constants/model_constants_config.json"] = json.dumps(config).encode()


HOSTILE: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "a function of Python as operation": (
        _program(lambda program: _graph(program)["nodes"][0].update(target="torch.os.mkdir")),
        "torch.os.mkdir",
    ),
    "an operation that reads files": (
        _program(lambda program: _graph(program)["nodes"][0].update(target="torch.ops.aten.from_file.default")),
        "from_file",
    ),
    "code as a size": (
        _program(
            lambda program: _graph(program)["tensor_values"]["x"]["sizes"][0]["as_expr"].update(
                expr_str="__import__('os').mkdir('ran')"
            )
        ),
        "expr_str",
    ),
    "code as a name": (
        _program(lambda program: _graph(program)["nodes"][0].update(name="x=__import__('os')")),
        "as name",
    ),
    "a class to import in the tree of inputs": (
        _program(
            lambda program: program["graph_module"]["module_call_graph"][0]["signature"].update(
                out_spec=json.dumps(
                    [1, {"type": "builtins.dict", "context": '{"__enum__": true, "fqn": "a:b"}', "children_spec": []}]
                )
            )
        ),
        "out_spec",
    ),
    "a pickled constant": (_with_custom_object, "custom_obj_0"),
    "machine code": (lambda parts: parts.update({"data/aotinductor/model/a.so": b"\x7fELF"}), "aotinductor"),
    "weights of an older kind": (lambda parts: parts.update({"data/weights/model.pt": b"\x80\x02"}), "model.pt"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_would_run_code_is_named_and_refused(kind: str, tmp_path: Path) -> None:
    change, word = HOSTILE[kind]
    path = edited(exported(tmp_path / "good.pt2"), tmp_path / "bad.pt2", change)
    with pytest.raises(UnsafeFileError) as caught:
        FORMAT.examine(path)
    assert caught.value.code == "MW403"
    assert any(word in str(problem) for problem in caught.value.problems)
    assert "Export it again" in caught.value.hint


def test_conditions_written_as_python_are_left_out(tmp_path: Path) -> None:
    change = _program(lambda program: program.update(guards_code=["__import__('os').mkdir('ran')"]))
    path = edited(exported(tmp_path / "good.pt2"), tmp_path / "guarded.pt2", change)
    FORMAT.answering(FORMAT.open(path, trust=()), table()).model.predict(table())
    assert not Path("ran").exists()


def test_a_file_of_another_version_of_torch_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    path = edited(
        exported(tmp_path / "a.pt2"),
        tmp_path / "old.pt2",
        _program(lambda program: program.update(torch_version="2.9.1")),
    )
    with pytest.raises(PinError) as caught:
        open_model(path, sample=table(), choice=None, trust=())
    assert caught.value.code == "MW302"
    assert "torch==2.9.1" in caught.value.hint


def test_a_damaged_program_is_refused(tmp_path: Path) -> None:
    path = edited(exported(tmp_path / "a.pt2"), tmp_path / "b.pt2", lambda parts: parts.update({MODEL: b"{"}))
    with pytest.raises(LoaderError) as caught:
        FORMAT.examine(path)
    assert caught.value.code == "MW303"
