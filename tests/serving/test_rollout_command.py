"""``modelwright rollout``: finds servers, says what it asks, follows a canary to its end."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from getpass import getuser
from pathlib import Path

import pytest
from answering_server import listening
from speaking import modelwright
from steering_server import TOKEN, Steering

from modelwright.cli.rollout_options import request_of, target
from modelwright.errors import RequestError, RolloutError, UnknownPackageError
from modelwright.serving.client.servers import Running, RunningModel, announce, servers_folder

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
GOLDEN = Path(__file__).parent.parent / "data" / "golden" / "format-1" / "twice-1.0.0"


@pytest.fixture
def app():
    return Steering("churn")


@pytest.fixture
def state(tmp_path, app):
    """A folder of the user's state in which one server of ``churn@production`` announced itself."""
    socket = str(tmp_path / "control.sock")
    with listening(app, unix=socket):
        model = RunningModel(name="churn", references=("churn@production",))
        server = Running(url="http://127.0.0.1:8080", socket=socket, models=(model,))
        announce(server, folder=servers_folder({"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path))
        yield tmp_path


def rollout(state: Path, *arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    return modelwright(
        "rollout", *arguments, cwd=state, code=code, XDG_RUNTIME_DIR=str(state), NO_COLOR="1", **environment
    )


def test_the_extra_of_the_server_brings_what_steers_it():
    extras = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]
    brought = {re.match(r"[\w-]+", one)[0] for one in extras["serve"]}
    assert brought >= {re.match(r"[\w-]+", one)[0] for one in extras["remote"]}


def test_a_canary_is_begun_looked_at_and_aborted(state, app):
    begun = rollout(
        state, "churn==1.3.0", "--on", "production", "--canary", "10", "--guard", "conversion:2%", "--reason", "try"
    )
    assert "churn: canary of churn==1.3.0 at 10 %, running" in begun.stdout
    assert "modelwright rollout abort churn --on production" in begun.stderr
    assert json.loads(app.asked[-1][3]) == {
        "reference": "churn==1.3.0",
        "on": "production",
        "percent": 10.0,
        "criteria": {"guards": [{"metric": "conversion", "limit": 0.02}]},
        "reason": "try",
    }
    shown = json.loads(rollout(state, "status", "churn", "--json").stdout)
    assert shown["http://127.0.0.1:8080"]["share"] == 0.1
    aborted = rollout(state, "abort", "churn", "--reason", "worse")
    assert f"10 % → 0 %  aborted by {getuser()}: worse" in aborted.stdout
    refused = rollout(state, "advance", "churn", code=4)
    assert "it is over" in refused.stderr


def test_a_canary_is_followed_to_its_end(state, app):
    app.advancing = True
    done = rollout(state, "churn==1.3.0", "--on", "churn", "--canary", "10", "--steps", "50,100", "--watch")
    assert "10 % → 50 %  advanced: No worse." in done.stderr
    assert "✓ churn: canary of churn==1.3.0 at 100 %, finished" in done.stdout


def test_one_that_ends_badly_is_followed_to_a_code(state):
    rollout(state, "churn==1.3.0", "--canary", "10")
    rollout(state, "abort", "churn")
    assert "aborted" in rollout(state, "status", "churn", "--watch", code=1).stdout


def test_rehearsing_asks_nothing(state, app):
    done = rollout(state, "churn==1.3.0", "--canary", "10", "--dry-run")
    assert "http://127.0.0.1:8080: POST /models/churn/rollout (nothing was asked)" in done.stdout
    assert app.asked == []


def test_what_does_not_run_is_unavailable(state):
    assert "modelwright serve fraud@production" in rollout(state, "status", "fraud", code=5).stderr
    none = rollout(state, "churn==1.3.0", "--on", "staging", "--shadow", code=5)
    assert "Running are http://127.0.0.1:8080 (churn)" in none.stderr


def test_another_machine_is_asked_by_its_address_with_a_token(tmp_path):
    with listening(Steering("churn", token=TOKEN)) as url:
        assert "No token" in rollout(tmp_path, "churn==1.3.0", "--on", url, "--ab", "50", code=4).stderr
        begun = rollout(tmp_path, "churn==1.3.0", "--on", url, "--ab", "50", MODELWRIGHT_TOKEN=TOKEN)
    assert "at 50 %" in begun.stdout


def test_several_servers_are_named_unless_a_stage_means_them_all(state, app):
    announced = servers_folder({"XDG_RUNTIME_DIR": str(state)}, state)
    (one,) = announced.glob("*.json")
    other = json.loads(one.read_bytes()) | {"url": "http://127.0.0.1:8081"}
    (announced / "other.json").write_text(json.dumps(other))
    refused = rollout(state, "status", "churn", code=2)
    assert "--on http://127.0.0.1:80" in refused.stderr
    done = rollout(state, "churn==1.3.0", "--on", "production", "--canary", "10", code=4)
    assert "It has begun on http://127.0.0.1:8080" in done.stderr


def test_a_server_that_is_gone_hides_not_where_it_has_begun(state, app):
    announced = servers_folder({"XDG_RUNTIME_DIR": str(state)}, state)
    (one,) = announced.glob("*.json")
    gone = {"url": "http://127.0.0.1:8081", "socket": str(state / "gone.sock")}
    (announced / "other.json").write_text(json.dumps(json.loads(one.read_bytes()) | gone))
    done = rollout(state, "churn==1.3.0", "--on", "production", "--canary", "10", code=4)
    assert "control door is closed" in done.stderr
    assert "It has begun on http://127.0.0.1:8080" in done.stderr


def test_a_shadow_is_asked_for_as_much_as_is_said(state, app):
    shown = rollout(state, "churn==1.3.0", "--shadow", "--mirror", "20").stdout
    assert "shadow of churn==1.3.0 at 20 %, holding" in shown
    refused = rollout(state, "advance", "churn", code=4)
    assert "its share is fixed" in refused.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "How is it rolled out"),
        ({"canary": "10", "shadow": "100"}, "--canary and --shadow exclude"),
        ({"ab": "50", "steps": "10,50"}, "--steps is of a canary"),
        ({"canary": "ten"}, "is a percentage"),
        ({"canary": "10", "guards": ["conversion"]}, "is no guard"),
        ({"canary": "10", "guards": ["a:1.2.3"]}, "is no guard"),
    ],
)
def test_options_that_contradict_are_refused(options, said):
    with pytest.raises(RequestError, match=said):
        request_of("churn==1.3.0", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"canary": "0"},
        {"ab": "100"},
        {"canary": "nan"},
        {"canary": "10", "steps": "50,25"},
        {"canary": "10", "steps": "5,25"},
        {"canary": "10", "interval": -1.0},
        {"canary": "10", "max_share": "5"},
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_server_is_asked(options):
    with pytest.raises(RolloutError, match="cannot be begun as asked"):
        request_of("churn==1.3.0", **options)


def test_a_version_is_named_or_lies_here(tmp_path):
    with pytest.raises(RequestError, match="Which version of churn"):
        target("churn", folder=tmp_path)
    with pytest.raises(UnknownPackageError):
        target("./none.whl", folder=tmp_path)
    assert target(str(GOLDEN), folder=tmp_path) == ("twice", str(GOLDEN))
