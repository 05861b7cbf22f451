"""The commands that ask a registry: what they print, how they end, what they suggest."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

sys.path.append(str(Path(__file__).parent.parent / "registry"))

from client_server import answering, stranger
from registry_wheels import library_wheel, model_wheel

import modelwright as mw
from modelwright.cli.app import run
from modelwright.registry.asking.reading import ReleaseReport
from modelwright.registry.asking.sending import Published
from modelwright.registry.audit import AuditReport, Entry, Head
from modelwright.registry.gates import GateResult
from modelwright.registry.index.install import InstallLines
from modelwright.registry.projects import Project, ProjectSummary, Release
from modelwright.registry.rollouts import RolloutEvent
from modelwright.registry.service import NewToken, Promotion

SETTINGS = """
[[stages]]
name = "staging"
[[stages]]
name = "production"
gates = [
    { gate = "metric", metric = "accuracy", dataset = "test", at_least = 0.8 },
    { gate = "approved", count = 1 },
]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with dist/ and a registry: churn 1.0.0 and 1.1.0 (worse), the library teamtools; do not change it."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "dist").mkdir()
    model_wheel(folder / "dist", "1.0.0", accuracy=0.9)
    model_wheel(folder / "dist", "1.1.0", accuracy=0.7, slope=3.0)
    library_wheel(folder / "dist")
    for source in (folder / "dist").glob("source-*"):
        shutil.rmtree(source)
    (folder / "registry").mkdir()
    (folder / "registry" / "registry.toml").write_text(SETTINGS)
    registry = mw.Registry(folder / "registry")
    registry.publish(folder / "dist")
    registry.close()
    return folder


@pytest.fixture
def shop(made, tmp_path, monkeypatch) -> Path:
    """The same, of one's own, as the current folder, in an environment that names no registry."""
    folder = Path(shutil.copytree(made, tmp_path / "shop"))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("MODELWRIGHT_REGISTRY", "MODELWRIGHT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return folder


class Said(NamedTuple):
    """What a command said."""

    out: str
    err: str


@pytest.fixture
def say(capsys):
    """Run a command line; it must end with the code."""

    def run_it(*arguments: str, code: int = 0) -> Said:
        capsys.readouterr()
        ended = run(arguments)
        said = Said(*capsys.readouterr())
        assert ended == code, said
        assert "Traceback" not in said.err
        return said

    return run_it


@pytest.fixture
def ask(say, shop, monkeypatch):
    """Run a command line on the registry of the shop."""
    monkeypatch.setenv("MODELWRIGHT_REGISTRY", "registry")
    return say


def decoded(said: Said, kind):
    return msgspec.json.decode(said.out, type=kind)


# Which registry.


def test_registry_is_named_by_option_variable_project_or_login_in_this_order(say, shop, monkeypatch):
    assert "None was named" in say("list", code=2).err
    (shop / "pyproject.toml").write_text('[tool.modelwright]\nregistry = "registry"\n')
    (shop / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(shop / "deep" / "er")
    assert "churn" in say("list").out
    monkeypatch.setenv("MODELWRIGHT_REGISTRY", str(shop / "nowhere"))
    assert "nowhere" in say("list", code=5).err
    assert "churn" in say("list", "--registry", str(shop / "registry")).out


def test_malformed_project_file_is_said_and_not_passed_over(say, shop):
    (shop / "pyproject.toml").write_text("[tool.modelwright\n")
    assert "pyproject.toml is not TOML" in say("list", code=2).err


def test_suggestions_ask_the_same_registry(say, shop):
    assert "modelwright history churn --registry registry" in say("list", "--registry", "registry").err


# Share.


def test_publish_into_a_new_folder_makes_a_registry_and_says_what_next(say, shop):
    said = say("publish", "dist", "--to", "new")
    assert "churn 1.1.0\n" in said.out
    assert "since the release before: MINOR" in said.out
    assert "modelwright promote churn 1.1.0 --to dev --registry new" in said.err
    assert (shop / "new" / "simple" / "churn" / "index.html").is_file()


def test_publish_expands_patterns_where_no_shell_did(say, shop):
    done = decoded(say("publish", "dist/churn-*.whl", "--to", "new", "--json"), Published)
    assert [(one.project, one.version, one.new) for one in done.files] == [
        ("churn", "1.0.0", True),
        ("churn", "1.1.0", True),
    ]


def test_publish_again_sends_nothing_and_says_so(ask):
    assert "it was there already" in ask("publish", "dist").out


def test_publish_as_rehearsal_checks_and_stores_nothing(say, shop):
    assert "churn 1.0.0 would be published" in say("publish", "dist", "--to", "new", "--dry-run").out
    assert not (shop / "new").exists()
    (shop / "changed").mkdir()
    dishonest = model_wheel(shop / "changed", "1.0.1", slope=5.0)
    assert "MW1104" in say("publish", str(dishonest), "--to", "registry", "--dry-run", code=4).err


def test_publish_of_nothing_is_refused(ask):
    assert "fix: modelwright build" in ask("publish", "no-such-folder", code=3).err
    assert "modelwright publish dist" in ask("publish", code=2).err


def test_publish_signs_wheels_and_refuses_what_is_no_key(ask, shop):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (shop / "ci.pem").write_bytes(pem)
    done = decoded(ask("publish", "dist/churn-1.0.0-py3-none-any.whl", "--sign", "ci.pem", "--json"), Published)
    assert [one.kind for one in done.evidence] == ["signature"]
    (shop / "bad.pem").write_text("not a key")
    ask("publish", "dist/churn-1.0.0-py3-none-any.whl", "--sign", "bad.pem", code=4)
    ask("publish", "dist/churn-1.0.0-py3-none-any.whl", "--sign", "missing.pem", code=3)


def test_list_shows_what_each_stage_runs(ask):
    ask("promote", "churn", "1.0.0", "--to", "staging")
    shown = ask("list").out.splitlines()
    assert shown[0].split()[:4] == ["model", "latest", "staging", "production"]
    assert shown[1].split()[:4] == ["churn", "1.1.0", "1.0.0", "–"]
    assert any(line.split()[:2] == ["teamtools", "1.0"] for line in shown)


def test_list_searches_and_says_when_there_is_nothing(ask):
    (found,) = decoded(ask("list", "--search", "helpers", "--json"), tuple[ProjectSummary, ...])
    assert found.name == "teamtools"
    assert "nothing has 'zebra'" in ask("list", "--search", "zebra").out


def test_show_tells_what_is_known(ask):
    ask("promote", "churn", "1.0.0", "--to", "staging", "--reason", "to try")
    shown = ask("show", "churn@staging").out
    for text in ("churn 1.0.0", "0.9000  on test", "staging     runs it", "scan", "sha256 ", "Ann <ann@example.org>"):
        assert text in shown
    assert decoded(ask("show", "churn@staging", "--json"), ReleaseReport).release.version == "1.0.0"


def test_show_install_prints_lines_that_are_safe_to_paste(ask):
    shown = ask("show", "churn==1.0.0", "--install").out
    assert "explicit = true" in shown
    assert "--extra-index-url churn" not in shown
    assert decoded(ask("show", "churn", "--install", "--json"), InstallLines).uv_add == "uv add churn==1.1.0"


def test_unknown_name_is_not_found_and_the_nearest_is_suggested(ask):
    for command in (("show", "chrun"), ("history", "chrun"), ("promote", "chrun", "1", "--to", "staging")):
        assert "Did you mean 'churn'?" in ask(*command, code=3).err


def test_error_as_json_is_the_object_of_the_api(ask):
    refused = json.loads(ask("show", "chrun", "--json", code=3).err)
    assert (refused["code"], refused["hint"]) == ("MW1105", "Did you mean 'churn'?")


# Release.


def test_promote_says_what_moved_and_how_to_go_back(ask):
    said = ask("promote", "churn==1.0.0", "--to", "staging")
    assert "churn: staging runs 1.0.0" in said.out
    assert "modelwright rollback churn --stage staging --reason WHY" in said.err
    assert "1.0.0 → 1.1.0" in ask("promote", "churn", "1.1.0", "--to", "staging").out
    assert "already; nothing was moved" in ask("promote", "churn@staging", "--to", "staging").out


def test_promote_refused_by_gates_shows_each_with_value_threshold_and_fix(ask):
    refused = ask("promote", "churn", "1.1.0", "--to", "production", code=4)
    assert refused.out == ""
    rows = [line.split() for line in refused.err.splitlines()]
    metric = next(row for row in rows if row[:2] == ["✗", "metric"])
    assert "0.7" in metric
    assert "0.8" in metric
    assert any(row[:1] == ["fix:"] and "approve" in " ".join(row) for row in rows)
    assert "MW1106" in refused.err


def test_promote_as_rehearsal_ends_as_the_promotion_would_and_moves_nothing(ask):
    shown = ask("promote", "churn", "1.1.0", "--to", "production", "--dry-run", code=4).out
    assert "2 of 2 gates refuse it (nothing was moved)" in shown
    gates = decoded(ask("promote", "churn", "1.0.0", "--to", "staging", "--dry-run", "--json"), tuple[GateResult, ...])
    assert gates == ()
    assert decoded(ask("history", "churn", "--json"), list[Entry])[-1].action == "publish"


def test_breaking_the_glass_is_loud_even_when_quiet_and_needs_a_reason(ask):
    assert "reason" in ask("promote", "churn", "1.1.0", "--to", "production", "--break-glass", code=2).err
    arguments = ("promote", "churn", "1.1.0", "--to", "production", "--break-glass", "--reason", "fire", "--quiet")
    said = ask(*arguments, "--json")
    assert "BREAKING THE GLASS: churn 1.1.0 → production" in said.err
    assert decoded(said, Promotion).broke_glass
    assert "BROKE THE GLASS" in ask("history", "churn").out


def test_approve_counts_for_the_gate_of_that_stage(ask):
    said = ask("approve", "churn", "1.0.0", "--stage", "production", "--reason", "looked at it")
    assert "churn 1.0.0 is approved for production" in said.out
    assert "modelwright promote churn 1.0.0 --to production" in said.err


def test_rollback_needs_a_reason_and_returns_to_what_ran_before(ask):
    ask("promote", "churn", "1.0.0", "--to", "staging")
    ask("promote", "churn", "1.1.0", "--to", "staging")
    ask("rollback", "churn", "--stage", "staging", code=2)
    assert "would return to churn 1.0.0" in ask("rollback", "churn@staging", "--reason", "x", "--dry-run").out
    assert "staging runs 1.1.0 → 1.0.0" in ask("rollback", "churn", "--stage", "staging", "--reason", "worse").out
    ask("rollback", "churn@staging", "--reason", "again", "--dry-run", code=3)
    ask("rollback", "churn@staging", "--reason", "again", code=3)
    ask("rollback", "churn", "--reason", "which stage?", code=2)


def test_yank_is_undone_and_deletion_is_for_ever(ask):
    assert "would be yanked" in ask("yank", "churn", "1.1.0", "--reason", "leaks", "--dry-run").out
    assert "--undo" in ask("yank", "churn", "1.1.0", "--reason", "leaks").err
    assert "rollback" not in ask("yank", "churn", "1.1.0", "--reason", "leaks").err
    ask("promote", "churn", "1.0.0", "--to", "staging")
    runs = ask("yank", "churn", "1.0.0", "--reason", "leaks").err
    assert "modelwright rollback churn --stage staging --reason WHY" in runs
    ask("yank", "churn", "1.0.0", "--undo")
    assert "yanked:       leaks" in ask("show", "churn==1.1.0").out
    assert "no longer yanked" in ask("yank", "churn", "1.1.0", "--undo").out
    ask("yank", "churn", "1.1.0", "--undo", "--delete", code=2)
    ask("yank", "churn", "--reason", "which?", code=2)
    assert "never again: churn-1.1.0" in ask("yank", "churn==1.1.0", "--delete", "--reason", "leaks").out
    assert "MW1103" in ask("publish", "dist/churn-1.1.0-py3-none-any.whl", code=4).err


def test_history_tells_who_did_what_and_why_and_what_was_refused(ask):
    ask("promote", "churn", "1.0.0", "--to", "staging", "--reason", "to try")
    ask("promote", "churn", "1.1.0", "--to", "production", code=4)
    lines = ask("history", "churn").out.splitlines()
    assert any("promote   churn 1.0.0 → staging" in line and "“to try”" in line for line in lines)
    assert any("✗ DENIED promote   churn 1.1.0 → production" in line for line in lines)
    assert len(decoded(ask("history", "churn==1.0", "--json"), list[Entry])) == 2
    ask(
        "rollback",
        "churn@staging",
        "--reason",
        "fine\n    9  2026-01-01 00:00:00  promote   fraud 1.0 → production",
        code=3,
    )
    told = ask("history", "churn").out
    assert len(told.splitlines()) == len(lines) + 1
    assert "“fine ⏎     9  2026" in told
    assert len(decoded(ask("history", "churn@production", "--json"), list[Entry])) == 1


def test_history_marks_a_canary_that_a_server_withdrew(ask, shop):
    registry = mw.Registry(shop / "registry")
    event = RolloutEvent(
        step="begun", kind="canary", before=0.0, after=0.1, control="1.0.0", by="bob", time="2026-10-01T12:00:00Z"
    )
    withdrawn = msgspec.structs.replace(event, step="rolled back", before=0.1, after=0.0, by="")
    registry.report_rollout("churn", "1.1.0", event=event, stage="staging", reason="try")
    registry.report_rollout("churn", "1.1.0", event=withdrawn, stage="staging", reason="errors 40 % against 0 %")
    registry.close()
    begun, last = ask("history", "churn@staging").out.splitlines()
    assert " rollout   churn 1.1.0 in staging" in begun
    assert "canary begun, 0 % → 10 %, by bob  “try”" in begun
    assert "✗ rollout   churn 1.1.0 in staging" in last
    assert "canary rolled back, 10 % → 0 %  “errors 40 % against 0 %”" in last
    assert len(decoded(ask("audit", "--action", "rollout", "--json"), list[Entry])) == 2
    assert "the log holds" in ask("audit", "--verify").out


def test_history_names_once_who_steered_a_rollout_and_wrote_the_entry(ask, shop):
    registry = mw.Registry(shop / "registry")
    actor = registry.history("churn")[-1].actor
    event = RolloutEvent(
        step="begun", kind="canary", before=0.0, after=0.1, control="1.0.0", by=actor, time="2026-10-01T12:00:00Z"
    )
    registry.report_rollout("churn", "1.1.0", event=event, stage="staging", reason="try")
    registry.close()
    (begun,) = ask("history", "churn@staging").out.splitlines()
    assert f"in staging  by {actor}  canary begun, 0 % → 10 %  “try”" in begun


def test_audit_is_filtered_exported_and_checked_without_the_registry(ask, shop):
    ask("promote", "churn", "1.1.0", "--to", "production", code=4)
    assert [one.action for one in decoded(ask("audit", "--denied", "--json"), list[Entry])] == ["promote"]
    assert len(decoded(ask("audit", "--action", "publish", "--limit", "2", "--json"), list[Entry])) == 2
    end = ask("audit", "--head").out.strip()
    assert decoded(ask("audit", "--head", "--json"), Head).sequence == int(end.partition(":")[0])
    assert "the log holds: 4 entries" in ask("audit", "--verify").out
    ask("audit", "--export", "log.jsonl")
    assert decoded(ask("audit", "--log", "log.jsonl", "--expect", end, "--json"), AuditReport).holds
    lines = (shop / "log.jsonl").read_text().splitlines()
    (shop / "log.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    assert "so it was cut" in ask("audit", "--log", "log.jsonl", "--expect", end, code=1).out
    (shop / "log.jsonl").write_text(lines[0].replace('"churn"', '"fraud"') + "\n")
    assert "entry 1 was altered" in ask("audit", "--log", "log.jsonl", code=1).out
    (shop / "log.jsonl").write_text(lines[0].replace("{", '{"comment": "looked at", ', 1) + "\n")
    assert "Line 1 is no entry" in ask("audit", "--log", "log.jsonl", code=1).err
    ask("audit", "--expect", "4:abc", code=2)
    assert "THE LOG WAS ALTERED" in ask("audit", "--expect", f"4:{'0' * 64}", code=1).out


# What lies here, and what a registry has.


def test_references_lead_into_the_registry(ask, shop):
    ask("promote", "churn", "1.0.0", "--to", "staging")
    assert "churn 1.0.0" in ask("inspect", "churn@staging").out
    assert "worst:" in ask("scan", "churn==1.1.0").out
    assert "MINOR" in ask("diff", "churn@staging", "churn", "--skip-behaviour").out
    assert (
        "churn 1.0.0 → churn 1.1.0"
        in ask("diff", "churn@staging", "dist/churn-1.1.0-py3-none-any.whl", "--skip-behaviour").out
    )
    assert "MW1105" in ask("inspect", "churn@production", code=3).err


def test_release_in_a_stage_predicts_in_an_environment_of_its_own(ask, shop):
    ask("promote", "churn", "1.0.0", "--to", "staging")
    (shop / "rows.jsonl").write_text('{"x": 2.0}\n')
    ask("predict", "churn@staging", "rows.jsonl", "--output", "answers.jsonl", "--offline")
    assert json.loads((shop / "answers.jsonl").read_text()) == {"y": 5.0}


def test_without_a_registry_names_are_those_of_installed_packages(say, shop):
    assert "MW110:" in say("inspect", "churn", code=3).err
    assert "None was named" in say("inspect", "churn@staging", code=2).err
    assert "churn 1.1.0" in say("inspect", "churn", "--registry", "registry").out


# Run.


def test_registry_is_made_checked_and_repaired(ask, shop):
    assert "stages dev, staging, limited, production" in ask("registry", "init", "fresh").out
    assert "everything is what was published: 3 files" in ask("registry", "check").out
    assert "everything is what was published: 3 files" in ask("registry", "check", "registry").out
    (stored,) = (shop / "registry" / "files").glob("*/*/churn-1.0.0-py3-none-any.whl")
    stored.write_bytes(stored.read_bytes().replace(b"Who will", b"Who wont"))
    assert "churn-1.0.0" in ask("registry", "check", code=1).out


def test_check_names_the_entry_of_the_log_that_was_altered(ask, shop):
    with contextlib.closing(sqlite3.connect(shop / "registry" / ".registry" / "state.sqlite")) as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f"drop trigger {name}")
        database.execute("update entries set actor = 'eve' where sequence = 2")
        database.commit()
    assert "entry 2 was altered" in ask("registry", "check", code=1).out


def test_owner_and_status_are_shown_rehearsed_and_set(ask):
    assert "and would be by ann" in ask("registry", "owner", "churn", "ann", "--dry-run").out
    assert decoded(ask("registry", "owner", "churn", "ann", "bob", "--json"), Project).owners == ("ann", "bob")
    assert "churn is owned by ann, bob" in ask("registry", "owner", "churn").out
    assert "churn is archived: replaced" in ask("registry", "status", "churn", "archived", "--reason", "replaced").out
    assert "PEP 792" in ask("registry", "status", "churn", "retired", code=2).err


def test_secret_of_a_token_is_shown_once(ask):
    said = ask("registry", "token", "add", "bob", "--scope", "publish", "--project", "churn", "--days", "30")
    secret = said.out.strip()
    assert secret.startswith("mw_")
    listed = ask("registry", "token", "list").out
    assert "bob: publish for churn until" in listed
    assert secret.split("_", 2)[2] not in listed  # the secret may have underscores itself
    made = decoded(ask("registry", "token", "add", "ann", "--json"), NewToken)
    assert made.token.scopes == ("read",)
    assert "revoked" in ask("registry", "token", "revoke", made.token.id).out
    ask("registry", "token", "revoke", "0" * 12, code=3)
    ask("registry", "token", "add", "bob", "--scope", "everything", code=2)


def test_release_that_is_shown_as_json_is_the_object_of_the_api(ask):
    assert decoded(ask("yank", "churn", "1.1.0", "--dry-run", "--json"), Release).version == "1.1.0"


def test_bundle_is_written_looked_into_and_taken_in_twice_without_harm(ask, shop):
    assert "churn 1.0.0 would be bundled" in ask("bundle", "churn==1.0.0", "--dry-run").out
    assert not list(shop.glob("*.zip"))
    said = ask("bundle", "churn==1.0.0", "-o", "churn.zip")
    assert "churn 1.0.0 for Python 3.11" in said.out
    assert "modelwright import churn.zip" in said.err
    assert "model    churn-1.0.0-py3-none-any.whl" in ask("import", "churn.zip", "--dry-run").out
    ask("registry", "init", "far")
    assert ": published" in ask("import", "churn.zip", "--registry", "far").out
    again = ask("import", "churn.zip", "--registry", "far")
    assert ": was there already" in again.out
    assert "modelwright show churn==1.0.0 --registry far" in again.err
    assert len(decoded(ask("audit", "--registry", "far", "--action", "publish", "--json"), list[Entry])) == 1
    (shop / "odd.zip").write_bytes(b"PK")
    assert "MW1113" in ask("import", "odd.zip", code=4).err


def test_webhooks_are_told_once_and_one_that_does_not_answer_is_a_failure(ask, shop):
    told = []

    def receive(request):
        told.append((request.headers["X-Modelwright-Signature"], request.path))
        answering(204)(request)

    (shop / "hook.secret").write_text("s" * 40)
    with stranger(receive) as url:
        hooks = f'[[webhooks]]\nurl = "{url}/hook"\nsecret_file = "../hook.secret"\nevents = ["yank"]\n'
        (shop / "registry" / "registry.toml").write_text(SETTINGS + hooks)
        ask("yank", "churn", "1.1.0", "--reason", "leaks")
        assert "1 delivered, 0 failed" in ask("registry", "deliver").out
        assert "0 delivered" in ask("registry", "deliver").out
        assert [path for _, path in told] == ["/hook"]
        ask("yank", "churn", "1.0.0", "--reason", "leaks, too")
    assert "0 delivered, 1 failed" in ask("registry", "deliver", code=1).out


# What was typed wrong.


@pytest.mark.parametrize("name", ["chekc", "tokens", "serve", "start"])
def test_misspelled_command_does_not_become_a_registry(say, shop, name):
    said = say("registry", name, "--port", "0", code=2)
    assert f"There is no folder '{name}'" in said.err
    assert not (shop / name).exists()


def test_port_that_there_cannot_be_is_wrong_usage_and_makes_nothing(say, shop):
    assert "--port" in say("registry", "new", "--port", "99999", code=2).err
    assert not (shop / "new").exists()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ftp://models.internal/x", "http://HOST:PORT"),
        ("http://models.internal/simple/", "Leave out /simple/"),
        ("http://models.internal/production/simple", "Leave out /simple/"),
    ],
)
def test_address_that_cannot_be_a_registry_is_said_before_anything_is_asked(say, shop, address, says):
    assert says in say("list", "--registry", address, code=2).err


def test_two_answers_to_one_question_are_refused(ask):
    assert "1.1.0 stands beside it" in ask("promote", "churn==1.0.0", "1.1.0", "--to", "staging", code=2).err
    assert "1.1.0 stands beside it" in ask("promote", "churn@staging", "1.1.0", "--to", "production", code=2).err
    said = ask("rollback", "churn@production", "--stage", "staging", "--reason", "x", code=2)
    assert "production and staging" in said.err


def test_rehearsed_rollback_says_what_the_rollback_would(ask):
    ask("promote", "churn", "1.0.0", "--to", "staging")
    line = ("rollback", "churn@staging", "--reason", "x")
    rehearsed = ask(*line, "--dry-run", code=3)
    assert "It runs 1.0.0, and ran nothing before" in rehearsed.err
    assert rehearsed.err == ask(*line, code=3).err


def test_filter_that_fits_nothing_says_so(ask):
    assert "No entry of the log" in ask("audit", "--stage", "prodction").err
    assert "--limit" in ask("audit", "--limit", "0", code=2).err
    assert "--limit" in ask("history", "churn", "--limit", "-1", code=2).err


def test_registry_of_another_user_is_said_to_be_one(ask, monkeypatch):
    def refuse(path, mode):
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    said = ask("list", code=5)
    assert "another user's" in said.err
    assert "modelwright registry " in said.err
