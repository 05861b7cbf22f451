"""The arrays of a big joblib file are mapped: processes that load it share one copy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsRegressor

from modelwright.adapters.formats.joblib import FORMAT
from modelwright.adapters.loaders import joblib_loader

ROWS = np.random.default_rng(0).normal(size=(150_000, 20))
LOAD = """
import json, sys
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[1])
import joblib_loader

model = joblib_loader.load(Path(sys.argv[2]), {}, "mine", [])
model._fit_X.sum()  # every page is touched
mapped = {"Rss": 0, "Pss": 0, "Anonymous": 0}
inside = False
for line in open("/proc/self/smaps"):
    head = line.split()
    if "-" in head[0] and not head[0].endswith(":"):
        inside = line.rstrip().endswith("model.joblib")
    elif inside and head[0].rstrip(":") in mapped:
        mapped[head[0].rstrip(":")] += int(head[1])
answer = model.predict(np.zeros((1, 20)))
print(json.dumps([mapped["Rss"], mapped["Anonymous"], answer.tolist(), type(answer).__name__]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what is shared")
def test_a_big_file_is_mapped_and_not_copied(tmp_path: Path) -> None:
    model = KNeighborsRegressor(3, algorithm="brute").fit(ROWS, ROWS[:, 0])
    FORMAT.save(model, tmp_path, package="mine")
    assert (tmp_path / "model.joblib").stat().st_size > joblib_loader.MAPPED
    command = [sys.executable, "-c", LOAD, str(FORMAT.loader.parent), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    resident, dirty, answer, kind = json.loads(done.stdout)
    assert resident * 1024 > ROWS.nbytes, "the array lies in the mapped file"
    assert dirty == 0, "and no page of it was copied"
    assert answer == model.predict(np.zeros((1, 20))).tolist()
    assert kind == "ndarray"


def test_a_small_file_is_read(tmp_path: Path) -> None:
    FORMAT.save(KNeighborsRegressor(3).fit(ROWS[:50], ROWS[:50, 0]), tmp_path, package="mine")
    loaded = joblib_loader.load(tmp_path, {}, "mine", [])
    assert type(loaded._fit_X) is np.ndarray
