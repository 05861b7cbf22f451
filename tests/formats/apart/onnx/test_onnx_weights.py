"""Big weights lie in a file that onnxruntime maps, so that all processes of a machine share one copy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import onnx
import pytest
from onnx_models import layers

import modelwright as mw
from modelwright.adapters.loaders import onnx_loader
from modelwright.capturing.formats import format_named

FORMAT = format_named("onnx")
WIDTH, COUNT = 2304, 4
"""Four layers of 21 MB: more than the threshold, in tensors that are no whole number of pages."""
ROWS = np.random.default_rng(1).standard_normal((6, WIDTH), dtype=np.float32)
CHILD = f"""
import sys
sys.path.insert(0, {str(Path(onnx_loader.__file__).parent)!r})
import numpy as np
import onnx_loader
from pathlib import Path
model = onnx_loader.load(Path(sys.argv[1]), eval(sys.argv[2]), "big", [])
model.predict(np.ones((2, {WIDTH}), np.float32))
print("ready", flush=True)
sys.stdin.readline()
mapped, found = False, dict(Rss=0, Pss=0, Anonymous=0)
for line in open("/proc/self/smaps"):
    if line.split(" ")[0].count("-") == 1:
        mapped = onnx_loader.WEIGHTS in line
    elif mapped and line.split(":")[0] in found:
        found[line.split(":")[0]] += int(line.split()[1]) * 1024
print(found, flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], Any]:
    folder = tmp_path_factory.mktemp("artifacts")
    adapted = FORMAT.answering(layers(COUNT, WIDTH), ROWS)
    saved = FORMAT.save(adapted.model, folder, package="big")
    return folder, saved.options, adapted.model.predict(ROWS)


def test_big_weights_lie_aligned_in_a_file_that_hardly_grows(stored: tuple[Path, dict[str, Any], Any]) -> None:
    folder, options, answers = stored
    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "model.onnx.data"]
    kept = onnx.load(folder / "model.onnx", load_external_data=False)
    offsets = [int(where["offset"]) for _, where in onnx_loader.external(kept.SerializeToString())]
    assert len(offsets) == COUNT
    assert all(offset % 2**16 == 0 for offset in offsets)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert size <= 1.02 * COUNT * WIDTH**2 * 4
    onnx.checker.check_model(folder / "model.onnx")
    assert onnx_loader.audit(folder, options, "big") == []
    np.testing.assert_array_equal(onnx_loader.load(folder, options, "big", []).predict(ROWS), answers)


def test_weights_are_the_ones_that_were_given(stored: tuple[Path, dict[str, Any], Any]) -> None:
    kept, given = onnx.load(stored[0] / "model.onnx"), layers(COUNT, WIDTH)
    for here, there in zip(kept.graph.initializer, given.graph.initializer, strict=True):
        assert here.raw_data == there.raw_data


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells what is shared")
def test_two_processes_share_one_copy_of_the_weights(stored: tuple[Path, dict[str, Any], Any]) -> None:
    folder, options, _ = stored
    command = [sys.executable, "-c", CHILD, str(folder), repr(options)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as two:
        both = [one, two]
        assert [each.stdout.readline() for each in both] == ["ready\n", "ready\n"]
        for each in both:
            each.stdin.write("\n")
            each.stdin.flush()
        found = [eval(each.stdout.readline()) for each in both]
    weights = (folder / "model.onnx.data").stat().st_size
    for each in found:
        assert each["Rss"] >= 0.99 * weights, "the file is not mapped"
        assert each["Pss"] <= 0.51 * weights, "it is not shared"
        assert each["Anonymous"] == 0, "it was copied"


def test_a_file_with_its_weights_beside_it_is_captured_with_a_digest_of_each(tmp_path: Path) -> None:
    model = layers(COUNT, WIDTH)
    onnx.save(model, tmp_path / "big.onnx", save_as_external_data=True, location="big.bin", size_threshold=1024)
    package = mw.capture(tmp_path / "big.onnx", ROWS, name="big", version="1.0", to=tmp_path / "out")
    assert [entry.path for entry in package.manifest.artifacts] == ["model.onnx", "model.onnx.data"]
    assert all(len(entry.sha256) == 64 for entry in package.manifest.artifacts)
    again = FORMAT.answering(FORMAT.open(tmp_path / "big.onnx", trust=()), ROWS)
    (tmp_path / "again").mkdir()
    FORMAT.save(again.model, tmp_path / "again", package="big")
    artifacts = package.path / "big" / "model" / "artifacts"
    for name in ("model.onnx", "model.onnx.data"):
        assert (artifacts / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_files_of_a_live_model_go_with_it(tmp_path: Path) -> None:
    live = FORMAT.answering(layers(COUNT, WIDTH), ROWS).model
    place = live.source
    assert place.is_dir()
    del live
    assert not place.exists()


def test_threads_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert onnx_loader.threads() == 0, "onnxruntime's own choice"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert onnx_loader.threads() == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5})
    assert onnx_loader.threads() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert onnx_loader.threads() == 2
