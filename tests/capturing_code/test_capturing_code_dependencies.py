"""Requirements are few, exact, complete and without tools; what no index can give is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from code_staging import stage, stage_module
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modelwright.capturing import distributions, homes
from modelwright.capturing.dependencies import TOOLS, direct, infer
from modelwright.capturing.local_modules import Imported
from modelwright.capturing.trace import Trace, Traced
from modelwright.errors import DependencyError
from modelwright.spec.signature import Field

FRAME = pd.DataFrame({"age": np.linspace(0, 1, 20), "kind": ["x", "y"] * 10})
FIELDS = [
    Field(name="age", datatype="float64", native="float64"),
    Field(name="kind", datatype="string", native="str"),
]


def pinned(*names: str) -> tuple[str, ...]:
    return tuple(sorted(f"{name}=={version(name)}" for name in names))


def only(modules: dict[str, Traced] | None = None, **arguments: Any) -> tuple[str, ...]:
    return direct(Trace(modules=modules or {}), package="churn", again=lambda _: Trace(), **arguments).direct


@pytest.mark.parametrize(
    ("name", "expected"),
    [("skops", ("pandas", "scikit-learn", "skops")), ("joblib", ("pandas", "scikit-learn"))],
)
def test_a_pipeline_on_pandas_needs_its_libraries_and_nothing_else(
    name: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    columns = ColumnTransformer([("n", StandardScaler(), ["age"]), ("c", OneHotEncoder(), ["kind"])])
    model = make_pipeline(columns, LinearRegression()).fit(FRAME, FRAME.age)
    collected, form = stage(tmp_path / "s", model, form=name, fields=FIELDS, container="pandas")
    inferring = infer(
        tmp_path / "s",
        "churn",
        [{"age": 0.5, "kind": "x"}],
        imports=collected.imports,
        modules=[*collected.model_modules, "pandas"],
        distributions=form.distributions,
    )
    found, trace = inferring.result()
    assert found.direct == inferring.expected.direct == pinned(*expected)
    assert trace.answers["prediction"] == pytest.approx([0.5])
    assert not {"pytest", "pyarrow", "polars", "modelwright"} & {name.partition(".")[0] for name in trace.modules}
    assert {"numpy", "scipy", "joblib", "threadpoolctl"} <= set(found.installed)


def test_a_library_that_changes_the_answer_is_kept_as_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    source = (
        "import pandas as pd\n\n\ndef predict(rows):\n"
        "    return pd.Series([row['a'] for row in rows], dtype='float64[pyarrow]').tolist()\n"
    )
    collected, _ = stage_module(tmp_path / "s", tmp_path, "zz_arrow", source)
    found, _ = infer(tmp_path / "s", "churn", [{"a": 1.0}], imports=collected.imports).result()
    assert found.direct == (f"pandas[pyarrow]=={version('pandas')}",)
    assert "pyarrow" in found.installed


def test_what_comes_with_another_requirement_is_not_named_again() -> None:
    assert only(modules=None, imports=[Imported("numpy", "f.py"), Imported("sklearn.base", "f.py")]) == pinned(
        "scikit-learn"
    )
    assert only(imports=[Imported("numpy", "f.py")]) == pinned("numpy")


def test_standard_modules_and_absent_optional_ones_are_no_requirements() -> None:
    assert only(imports=[Imported("json", "f.py"), Imported("no_such_library", "f.py", optional=True)]) == ()


def test_test_runners_and_notebooks_are_never_requirements() -> None:
    seen = {"pytest": Traced(pytest.__file__, "sklearn.utils._testing")}
    found = direct(
        Trace(modules=seen), package="churn", again=lambda _: Trace(), imports=[Imported("sklearn.base", "f.py")]
    )
    assert found.direct == pinned("scikit-learn")
    assert {"pytest", "ipykernel", "coverage", "modelwright"} <= TOOLS


def test_a_module_of_no_distribution_is_refused_with_its_importer() -> None:
    with pytest.raises(DependencyError) as caught:
        only(imports=[Imported("no_such_library.part", "features.py")])
    assert "'no_such_library.part'" in caught.value.what
    assert "features.py" in caught.value.where


def test_a_local_file_that_nothing_brought_along_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DependencyError) as caught:
        only({"shop.prices": Traced(str(tmp_path / "prices.py"), "churn.features")})
    assert "modules=['shop']" in caught.value.hint


def test_pins_can_be_compatible() -> None:
    major, minor = version("numpy").split(".")[:2]
    assert only(imports=[Imported("numpy", "f.py")], pins="compatible") == (f"numpy~={major}.{minor}",)


def test_what_the_user_gives_wins_with_its_extras() -> None:
    given = only(imports=[Imported("numpy", "f.py")], requirements=["numpy>=2", "pandas[pyarrow]"])
    assert given == ("numpy>=2", f"pandas[pyarrow]=={version('pandas')}")


@pytest.mark.parametrize("line", ["not a requirement!", "x @ https://example.org/x.whl", "no-such-distribution"])
def test_a_requirement_that_no_wheel_may_carry_is_refused(line: str) -> None:
    with pytest.raises(DependencyError):
        only(requirements=[line])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path that looks like site-packages, with caches that know of it."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    caches = (distributions._owners, distributions.installed, distributions._files, homes._folders)
    for cache in caches:
        cache.cache_clear()
    yield folder
    for cache in caches:
        cache.cache_clear()


def install(site: Path, name: str, *, files: str, number: str = "1.0", origin: str = "", requires: str = "") -> None:
    info = site / f"{name}-{number}.dist-info"
    info.mkdir()
    lines = [f"Requires-Dist: {line}\n" for line in requires.split(",") if line]
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n{''.join(lines)}")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files.split()))
    for file in files.split():
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text("")
    if origin:
        (info / "direct_url.json").write_text(json.dumps({"url": origin, "vcs_info": {"vcs": "git"}}))


def test_a_distribution_from_a_repository_is_refused_unless_the_user_names_it(site: Path) -> None:
    install(site, "toyvcs", files="toyvcs.py", origin="git+https://example.org/toyvcs")
    with pytest.raises(DependencyError, match="not installed from an index"):
        only(imports=[Imported("toyvcs", "f.py")])
    assert only(imports=[Imported("toyvcs", "f.py")], requirements=["toyvcs==1.0"]) == ("toyvcs==1.0",)


def test_a_local_version_label_is_dropped_from_the_pin(site: Path) -> None:
    install(site, "toygpu", files="toygpu.py", number="2.13.0+cpu")
    assert only(imports=[Imported("toygpu", "f.py")]) == ("toygpu==2.13.0",)


def test_distributions_that_share_a_namespace_are_told_apart_by_file(site: Path) -> None:
    install(site, "toy_one", files="toyspace/one/__init__.py")
    install(site, "toy_two", files="toyspace/two.py")
    assert only(imports=[Imported("toyspace.two", "f.py")]) == ("toy-two==1.0",)
    assert only(imports=[Imported("toyspace.one", "f.py")]) == ("toy-one==1.0",)


def test_two_distributions_that_require_each_other_leave_one(site: Path) -> None:
    install(site, "toya", files="toya.py", requires="toyb")
    install(site, "toyb", files="toyb.py", requires="toya")
    assert only(imports=[Imported("toya", "f.py"), Imported("toyb", "f.py")]) == ("toya==1.0",)
