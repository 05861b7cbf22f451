"""``explain``: every error can be looked up."""

from __future__ import annotations

import json

import pytest

from modelwright import errors
from modelwright.cli.app import run
from modelwright.cli.explain import explanations


def test_every_public_error_is_explained():
    classes = {
        name
        for name in errors.__all__
        if isinstance(getattr(errors, name), type) and issubclass(getattr(errors, name), Exception)
    }
    assert {one.name for one in explanations()} == classes


def test_errors_of_others_are_not_listed():
    class Foreign(errors.PackageError):
        """Not ours."""

        code = "XX1"

    assert Foreign.code not in {one.code for one in explanations()}


@pytest.mark.parametrize("asked", ["MW201", "mw201", "SignatureError"])
def test_explanation_is_found_by_code_in_any_case_and_by_name(asked, capsys):
    assert run(["explain", asked]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("MW201 SignatureError\n")
    assert "Columns may be missing" in shown
    assert "Exit code: 1" in shown


def test_explanation_as_json_is_the_object(capsys):
    assert run(["explain", "MW402", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["parents"], found["exit_code"]) == (
        "TrustError",
        ["SafetyError", "ModelwrightError"],
        4,
    )


def test_list_has_a_line_for_every_error(capsys):
    assert run(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [one.code for one in explanations()]


def test_unknown_code_is_not_found_and_suggests_the_nearest(capsys):
    assert run(["explain", "MW2O1"]) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "modelwright explain MW201" in shown.err
