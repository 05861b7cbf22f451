"""The model's pins united with the project's dependencies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from modelwright.building.requirements import unite
from modelwright.errors import ManifestError, ProjectError

PINS = ["scikit-learn==1.9.1", "pandas==3.1.1"]
names = st.sampled_from(["scikit-learn", "Pandas", "numpy", "Torch_x"])
wanted = st.lists(st.tuples(names, st.sampled_from(["", ">=1", "[extra]", "[a,b]>=1.2"])).map("".join), max_size=5)


@given(wanted)
def test_every_pin_stays_exact_and_every_name_stays_required(texts: list[str]) -> None:
    united = unite(PINS, texts)
    assert {str(Requirement(str(each)).specifier) for each in united if each.name in ("scikit-learn", "pandas")} == {
        "==1.9.1",
        "==3.1.1",
    }
    said = {Requirement(text).name.lower().replace("_", "-") for text in [*PINS, *texts]}
    assert {each.name.lower().replace("_", "-") for each in united} == said
    assert len(united) == len(said)


@given(wanted, st.randoms())
def test_the_order_in_which_requirements_are_written_does_not_matter(texts: list[str], order) -> None:
    shuffled = list(PINS)
    order.shuffle(shuffled)
    assert list(map(str, unite(PINS, texts))) == list(map(str, unite(shuffled, texts)))


@pytest.mark.parametrize("text", ["scikit-learn==1.8.0", "Scikit_Learn<1.9", "pandas @ https://e.example/p.whl"])
def test_a_requirement_that_no_installation_can_have_beside_a_pin_is_refused(text: str) -> None:
    with pytest.raises(ProjectError, match="the model was proved with"):
        unite(PINS, [text])


def test_a_compatible_pin_is_narrowed_by_the_project() -> None:
    assert [str(each) for each in unite(["numpy~=2.4.6"], ["numpy!=2.4.8"])] == ["numpy!=2.4.8,~=2.4.6"]


def test_a_requirement_under_another_condition_stands_beside_the_pin() -> None:
    united = unite(["numpy==2.4.6"], ['numpy<1; sys_platform == "win32"'])
    assert [str(each) for each in united] == ['numpy<1; sys_platform == "win32"', "numpy==2.4.6"]


def test_what_is_no_requirement_is_refused_at_its_source() -> None:
    with pytest.raises(ProjectError, match="no requirement"):
        unite([], ["numpy >>> 2"])
    with pytest.raises(ManifestError, match="no requirement"):
        unite(["numpy >>> 2"], [])
