"""Loading leaves skops as it found it, and trusts nothing but what it is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression

from modelwright.adapters.formats.skops import FORMAT

LOAD = """
import sys
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[1]).parent))
import skops_loader

model = skops_loader.load(Path(sys.argv[2]), {}, "mine", [])
print(model.predict([[3.0]]))
print(any(name.startswith("skops.") for name in sys.modules), "pytest" in sys.modules)
import skops.io
print(skops.io.get_untrusted_types(file=Path(sys.argv[2]) / "model.skops"))
"""


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    FORMAT.save(LinearRegression().fit([[1.0], [2.0]], [2.0, 4.0]), tmp_path, package="mine")
    return tmp_path


def test_a_fresh_process_loads_without_what_skops_imports_for_its_own_list(artifacts: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", LOAD, str(FORMAT.loader), str(artifacts)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer, left_behind, own = done.stdout.splitlines()
    assert answer == "[6.]"
    assert left_behind == "False False"
    assert own == "[]", "skops of the consumer trusts by itself what it always did"
