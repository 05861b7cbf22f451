"""OpenAPI of served models: valid, exact, and with examples that hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from web_models import EVERYTHING_INPUTS, EVERYTHING_ROW, churn_contract, contract, everything_contract, free_contract

from modelwright.runtime.encoding import decode_rows, encode
from modelwright.runtime.values import FieldJudge, Refused, family_of
from modelwright.serving.contract import Contract
from modelwright.serving.web.openapi import Served, openapi, server_openapi
from modelwright.serving.web.schemas import SECONDS, input_schema
from modelwright.serving.web.security import guarded

CONTRACTS = {"churn": churn_contract, "every-thing": everything_contract, "free": free_contract}
Node = dict[str, Any]


@cache
def document(name: str) -> Node:
    return openapi(CONTRACTS[name](), name=name, versions=("1.3.0", "1.2.0"))


@cache
def whole() -> Node:
    return server_openapi([Served(name=name, contract=made(), versions=("1.3.0",)) for name, made in CONTRACTS.items()])


def validator(document: Node, component: str) -> Draft202012Validator:
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{component}", "components": {"schemas": document["components"]["schemas"]}}
    )


def operations(document: Node) -> Iterator[tuple[str, Node]]:
    for path, item in document["paths"].items():
        for verb in ("get", "post"):
            if verb in item:
                yield path, item[verb]


# Valid.


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_document_of_a_model_is_valid_openapi(name: str) -> None:
    assert list(OpenAPIV31SpecValidator(document(name)).iter_errors()) == []
    assert json.loads(json.dumps(document(name))) == document(name), "plain data"


def test_the_document_of_a_server_is_valid_openapi_and_describes_every_model() -> None:
    assert list(OpenAPIV31SpecValidator(whole()).iter_errors()) == []
    assert {"/models/churn/predict", "/models/every-thing/predict", "/v2/health/ready", "/outcomes"} <= {
        path for path, _ in operations(whole())
    }


def test_security_is_named_where_a_token_is_asked_for_and_only_there() -> None:
    assert "security" not in json.dumps(whole())
    asking = guarded(whole())
    assert list(OpenAPIV31SpecValidator(asking).iter_errors()) == []
    assert asking["security"] == [{"token": []}]
    open_to_all = {path for path, operation in operations(asking) if "security" in operation}
    assert open_to_all == {path for path, _ in operations(asking) if path.endswith(("/live", "/ready"))}


def test_a_server_without_models_has_a_valid_document() -> None:
    assert list(OpenAPIV31SpecValidator(server_openapi([])).iter_errors()) == []


def test_the_validator_finds_what_is_wrong() -> None:
    wrong = json.loads(json.dumps(document("churn")))
    del wrong["paths"]["/models/churn/predict"]["post"]["responses"]
    wrong["info"].pop("title")
    assert len(list(OpenAPIV31SpecValidator(wrong).iter_errors())) >= 1


@pytest.mark.parametrize("made", CONTRACTS.values())
def test_every_schema_is_a_json_schema(made: Any) -> None:
    for schema in openapi(made(), name="m")["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, operation in operations(whole())]
    assert len(set(names)) == len(names)


def test_every_method_can_be_asked_of_the_model_and_of_one_version() -> None:
    assert sorted(path for path, _ in operations(document("churn"))) == [
        "/models/churn/predict",
        "/models/churn/predict_proba",
        "/models/churn/versions/{version}/predict",
        "/models/churn/versions/{version}/predict_proba",
    ]
    version = document("churn")["paths"]["/models/churn/versions/{version}/predict"]["parameters"][0]
    assert version["schema"]["enum"] == ["1.3.0", "1.2.0"]


def test_a_name_that_is_no_component_name_still_gives_a_valid_document() -> None:
    odd = openapi(churn_contract(), name="größe/a b")
    assert list(OpenAPIV31SpecValidator(odd).iter_errors()) == []
    assert "/models/gr%C3%B6%C3%9Fe%2Fa%20b/predict" in odd["paths"]


# Examples.


@pytest.mark.parametrize("name", ["churn", "every-thing"])
def test_examples_fit_what_they_are_examples_of(name: str) -> None:
    described = document(name)
    checked = 0
    for _, operation in operations(described):
        for body in (operation["requestBody"], operation["responses"]["200"]):
            json_body = body["content"]["application/json"]
            schema = json_body["schema"] | {"components": described["components"]}
            for example in json_body["examples"].values():
                Draft202012Validator(schema).validate(example["value"])
                checked += 1
    assert checked >= 10


def test_the_example_is_a_scenario_with_the_answer_the_package_expects() -> None:
    operation = document("churn")["paths"]["/models/churn/predict_proba"]["post"]
    sent = operation["requestBody"]["content"]["application/json"]["examples"]
    answer = operation["responses"]["200"]["content"]["application/json"]["examples"]
    assert sent["rows"]["value"]["rows"][0]["age"] == 42
    assert sent["columns"]["value"]["columns"]["age"] == [42, 18]
    assert answer["rows"]["value"]["predictions"][0] == {"probability": {"no": 0.25, "yes": 0.75}}
    assert answer["columns"]["value"]["columns"] == {"probability_no": [0.25, 0.9], "probability_yes": [0.75, 0.1]}
    assert operation["requestBody"]["content"]["text/csv"]["example"].splitlines()[1:] == [
        "42,monthly,Köln,70.35,true,2024-02-29",
        "18,yearly,,NaN,false,2026-01-01",
    ]


def test_a_model_without_scenarios_has_no_example() -> None:
    body = document("free")["paths"]["/models/free/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert "examples" not in body


def test_an_example_that_is_too_large_is_left_out() -> None:
    row = {"x": [0.5] * 10_000}
    large = contract(
        inputs=[{"name": "x", "datatype": "float64", "shape": [10_000]}],
        outputs=[{"name": "y", "datatype": "float64"}],
        scenarios=[{"kind": "example", "name": "one", "inputs": [row], "expected": {"y": [1.0]}}],
    )
    assert len(json.dumps(openapi(large, name="m"))) < 20_000


# What a schema says.


def test_a_field_says_all_that_is_known_of_it() -> None:
    row = document("churn")["components"]["schemas"]["churn.Row"]
    assert row["additionalProperties"] is False
    assert row["required"] == ["age", "contract", "city", "charges", "paperless", "since"]
    age, contract_, city = row["properties"]["age"], row["properties"]["contract"], row["properties"]["city"]
    assert age == {"type": "integer", "format": "int64", "minimum": 18, "maximum": 95, "x-unit": "years"}
    assert contract_["enum"] == ["monthly", "yearly", "two years"]
    assert contract_["description"] == "How long the customer is bound"
    assert city == {"type": ["string", "null"], "x-levels": ["Bonn", "Köln"]}
    assert row["properties"]["since"]["format"] == "date"


def test_every_answer_names_model_version_variant_and_request() -> None:
    for form in ("Answer", "ColumnsAnswer"):
        answer = document("churn")["components"]["schemas"][f"churn.predict.{form}"]
        assert {"model", "version", "variant", "request_id"} < set(answer["required"])


def test_every_refusal_is_documented_with_the_schema_of_errors() -> None:
    for path, operation in operations(document("churn")):
        assert {"400", "401", "404", "408", "413", "415", "500", "502", "503", "504"} < set(operation["responses"]), (
            path
        )
    error = {
        "error": "The rows do not fit.",
        "code": "MW201",
        "details": [{"row": 0, "column": "age", "problem": "is missing", "hint": ""}],
        "request_id": "1",
    }
    assert validator(document("churn"), "Error").is_valid(error)
    assert not validator(document("churn"), "Error").is_valid(error | {"details": [{"row": "0"}]})


# Exact: what a schema allows is accepted, and the other way round.

_WORDS = ["NaN", "Infinity", "-Infinity", "", "a", "aGk=", "aGk", "AAAA", "A===", "2024-02-29", "2023-02-29"]
_WORDS += ["2026-11-20T13:45:00", "2026-11-20T13:45:60", "2026-11-20T13:45:00Z", "2026-11-20T13:45:00+24:00"]
_NUMBERS = [0, 1, 2, 5, 255, 256, -1, 1.0, 1.5, 2**31, 2**63, 2**63 - 1, -(2**63), 0.25, 1.0000001, 1e300]
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(_NUMBERS),
    st.sampled_from(_WORDS),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.dates().map(str),
    st.datetimes().map(encode),
    st.binary(max_size=4).map(encode),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=8,
)
_TENSORS = st.lists(_LEAVES, max_size=4) | st.lists(st.lists(_LEAVES, min_size=1, max_size=3), max_size=3)


def accepted(field: Node, value: Any) -> bool:
    """Ask the runtime."""
    decoded = decode_rows([{field["name"]: value}], [field])[0][field["name"]]
    try:
        FieldJudge(field).accept(decoded)
    except Refused:
        return False
    return True


@pytest.mark.parametrize("field", EVERYTHING_INPUTS, ids=lambda field: field["name"])
def test_a_schema_allows_exactly_what_the_runtime_accepts(field: Node) -> None:
    schema = Draft202012Validator(input_schema(field))
    otherwise_spelt = family_of(field["datatype"]) in ("date", "datetime")

    @settings(max_examples=150, deadline=None)
    @given(_VALUES | _TENSORS)
    def holds(value: Any) -> None:
        if schema.is_valid(value):
            assert accepted(field, value)
        elif not otherwise_spelt:
            assert not accepted(field, value)

    holds()


@pytest.mark.parametrize("field", EVERYTHING_INPUTS, ids=lambda field: field["name"])
def test_what_a_field_takes_is_written_as_its_schema_says(field: Node) -> None:
    assert Draft202012Validator(input_schema(field)).is_valid(EVERYTHING_ROW[field["name"]])
    assert accepted(field, EVERYTHING_ROW[field["name"]])


@given(st.dates())
def test_every_day_of_the_calendar_can_be_sent(day: Any) -> None:
    assert Draft202012Validator(input_schema({"name": "d", "datatype": "date"})).is_valid(str(day))


def test_the_longest_durations_are_accepted() -> None:
    field = {"name": "d", "datatype": "duration"}
    assert all(accepted(field, bound) and accepted(field, float(bound)) for bound in SECONDS)


@given(st.datetimes(timezones=st.none() | st.timezones()))
def test_every_time_can_be_sent_as_python_writes_it(moment: Any) -> None:
    zone = {} if moment.tzinfo is None else {"timezone": "UTC"}
    offset = moment.utcoffset()
    if offset is None or not offset.seconds % 60:  # RFC 3339 has no seconds in an offset
        text = moment.isoformat()
        assert Draft202012Validator(input_schema({"name": "t", "datatype": "datetime"} | zone)).is_valid(text)


def test_a_row_must_have_every_column_and_no_other() -> None:
    row = validator(document("every-thing"), "every-thing.Row")
    assert row.is_valid(EVERYTHING_ROW)
    assert not row.is_valid(EVERYTHING_ROW | {"more": 1})
    assert not row.is_valid({key: value for key, value in EVERYTHING_ROW.items() if key != "flag"})


def test_a_strict_date_says_its_range() -> None:
    field = {
        "name": "d",
        "datatype": "date",
        "training_range": ["2020-01-01", "2025-12-31"],
        "on_out_of_range": "error",
    }
    assert input_schema(field)["x-minimum"] == "2020-01-01"


@pytest.mark.parametrize("body", [[], {"rows": []}, {"columns": {}}, {"rows": [], "columns": {}}, {}, None, 1])
def test_a_body_without_rows_is_not_allowed(body: Any) -> None:
    described: Contract = churn_contract()
    schema = openapi(described, name="churn")
    operation = schema["paths"]["/models/churn/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert not Draft202012Validator(operation["schema"] | {"components": schema["components"]}).is_valid(body)


@pytest.mark.parametrize(
    ("outcome", "allowed"),
    [
        ({"request_id": "r", "outcome": {"churned": True}}, True),
        ({"request_id": "r", "row": 3, "time": "2026-11-20T13:45:00Z", "outcome": {"spent": 12.5, "why": ""}}, True),
        ({"unit": "customer-17", "time": "2026-11-20T13:45:00+01:00", "outcome": {"churned": False}}, True),
        ({"unit": "customer-17", "outcome": {"churned": False}}, False),
        ({"unit": "u", "request_id": "r", "time": "2026-11-20T13:45:00Z", "outcome": {"churned": False}}, False),
        ({"request_id": "r", "outcome": {}}, False),
        ({"request_id": "", "outcome": {"churned": True}}, False),
        ({"request_id": "r", "outcome": {"churned": None}}, False),
        ({"outcome": {"churned": True}}, False),
    ],
)
def test_an_outcome_names_a_request_or_a_unit_with_its_time(outcome: Node, allowed: bool) -> None:
    assert validator(whole(), "Outcomes").is_valid({"outcomes": [outcome]}) is allowed
