"""What stands in for another version needs no more and gives no less, or every reason why not is listed."""

from __future__ import annotations

import pytest
from serving_contracts import OUTPUT, contract_for

from modelwright.errors import DeploymentError
from modelwright.serving.operating.compatible import check_stands_in
from modelwright.spec.signature import Field, Output

AGE, CITY = Field(name="age", datatype="int64"), Field(name="city", datatype="string")
PROBABILITY = Output(name="probability", datatype="float64", method="predict_proba")
CONTROL = contract_for(AGE, CITY, outputs=(OUTPUT, PROBABILITY))


def test_a_version_may_need_less_and_give_more() -> None:
    more = Output(name="reasons", datatype="string")
    check_stands_in(contract_for(AGE, outputs=(OUTPUT, more, PROBABILITY)), CONTROL)


@pytest.mark.parametrize(
    ("inputs", "outputs", "problem"),
    [
        ((AGE, Field(name="plan", datatype="string")), (OUTPUT, PROBABILITY), "'plan': is needed by"),
        ((Field(name="city", datatype="int64"),), (OUTPUT, PROBABILITY), "'city': is int64 here and string there"),
        ((AGE,), (Output(name="other", datatype="float64"), PROBABILITY), "'prediction': is an output of"),
        ((AGE,), (Output(name="prediction", datatype="string"), PROBABILITY), "is string here and float64 there"),
        ((AGE,), (OUTPUT,), "predict_proba: is a method of"),
        ((AGE,), (OUTPUT, Output(name="probability", datatype="float64")), "predict_proba: is a method of"),
    ],
)
def test_what_stands_in_the_way_is_said(inputs: tuple[Field, ...], outputs: tuple[Output, ...], problem: str) -> None:
    with pytest.raises(DeploymentError) as refused:
        check_stands_in(contract_for(*inputs, outputs=outputs), CONTROL)
    assert [problem in str(one) for one in refused.value.problems] == [True]
