"""What a package's own process refuses comes across whole."""

from __future__ import annotations

from modelwright.errors import Problem, SignatureError
from modelwright.inspecting.processes import Finished
from modelwright.inspecting.selftest import refusal


def test_every_problem_of_a_refusal_comes_across() -> None:
    problems = [Problem(row, "x", "'a' is text; a number is needed") for row in range(30)]
    told = SignatureError("The rows do not fit.", problems=problems, why="They are wrong.", hint="Mend them.")
    error = refusal(Finished(1, "", told.text(shown=30) + "\n"))
    assert isinstance(error, SignatureError)
    assert len(error.problems) == 30
    assert (error.what, error.why, error.hint) == (told.what, told.why, told.hint)
    assert "… and 10 more" in str(error)
