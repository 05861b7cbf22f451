"""Gates: what each lets in, what it refuses, its boundaries, and that good evidence never harms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.registry.deciding.facts import Facts
from modelwright.registry.deciding.gates import judge
from modelwright.registry.deciding.signing import new_key, sign
from modelwright.registry.evidence import Evidence, EvidenceKind
from modelwright.registry.gates import Approved, Card, Gate, GateResult, Metric, Scan, Signed, Soaked, Verified
from modelwright.registry.projects import Placement, Project, Release, StoredFile, digest_of
from modelwright.spec.evaluation import Evaluation

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
A, B, OLD = "aa" * 32, "bb" * 32, "cc" * 32
PRIVATE, PUBLIC = new_key()
OTHER_PRIVATE, _ = new_key()
CARD = """---
license: mit
---
# Churn

## Intended use

To call customers.

## Factors

Not stated by the author.
"""


def at(**before: float) -> str:
    return (NOW - timedelta(**before)).isoformat()


def wheel(sha256: str = A, *, tags: tuple[str, ...] = ("cp311-none-any",), publisher: str = "ann") -> StoredFile:
    return StoredFile(
        filename=f"churn-1.3.0-{tags[0] if tags else 'py3-none-any'}.whl",
        sha256=sha256,
        size=1,
        packagetype="bdist_wheel",
        uploaded=at(days=1),
        publisher=publisher,
        tags=tags,
    )


def release(*files: StoredFile, version: str = "1.3.0", **more: Any) -> Release:
    return Release(version=version, created=at(days=1), publisher="ann", files=files or (wheel(),), **more)


def placed(digest: str, *, stage: str = "staging", sequence: int = 1, current: bool = True, **more: Any) -> Placement:
    said = {"version": "1.3.0", "since": at(hours=24), "files": (digest,), "actor": "ann"} | more
    return Placement(stage=stage, project="churn", digest=digest, sequence=sequence, current=current, **said)


def facts(*evidence: Evidence, **changes: Any) -> Facts:
    placements = changes.pop("placements", ())
    owners = changes.pop("owners", ("ann", "bob", "eve"))
    said: dict[str, Any] = {
        "stage": "production",
        "before": "staging",
        "release": release(),
        "evidence": evidence,
        "now": NOW,
        "project": Project(
            name="churn", kind="model", created=at(days=9), serial=1, owners=owners, placements=placements
        ),
    }
    return Facts(**(said | changes))


def evidence(kind: EvidenceKind, content: Any, *, number: int = 1, sha256: str = A, **more: Any) -> Evidence:
    said = {"created": at(hours=1), "actor": "ann", "digest": "0" * 64} | more
    return Evidence(id=number, sha256=sha256, kind=kind, content=content, **said)


def only(gate: Gate, known: Facts) -> GateResult:
    (result,) = judge([gate], known)
    assert (result.hint == "") == result.passed
    assert "" not in (result.gate, result.value, result.threshold)
    return result


def report(sha256: str = A, interpreter: str = "cp311", **changes: Any) -> dict[str, Any]:
    return {
        "name": "churn",
        "version": "1.3.0",
        "wheel": "churn-1.3.0-cp311-none-any.whl",
        "sha256": sha256,
        "size": 1,
        "passed": True,
        "created": at(days=900),
        "python": "3.11.7",
        "interpreter": interpreter,
        "platform": "linux_x86_64",
        "installer": "uv",
        "distributions": {},
        "scenarios": [{"name": "zero", "passed": True}, {"name": "ten", "passed": True}],
    } | changes


def proof(sha256: str = A, interpreter: str = "cp311", *, number: int = 1, age: str = "", **changes: Any) -> Evidence:
    content = report(sha256, interpreter, **changes)
    return evidence("verification", content, number=number, sha256=sha256, created=age or at(hours=1))


class TestVerified:
    def test_a_wheel_that_was_proved_passes(self) -> None:
        result = only(Verified(), facts(proof(number=7)))
        assert result.passed
        assert result.evidence == (7,)
        assert "2 scenarios green, 60 minutes ago" in result.value

    @pytest.mark.parametrize(
        "known",
        [
            [],
            [proof(sha256=B)],
            [proof(passed=False, problems=["pandas is missing"])],
            [proof(scenarios=[{"name": "zero", "passed": True}, {"name": "ten", "passed": False}])],
            [proof(scenarios=[])],
            [evidence("verification", report(sha256=B))],
            [evidence("verification", {"passed": True})],
            [evidence("verification", None)],
            [evidence("evaluation", report())],
        ],
    )
    def test_anything_less_does_not(self, known: list[Evidence]) -> None:
        result = only(Verified(), facts(*known))
        assert not result.passed
        assert "modelwright verify churn==1.3.0 --report report.json && modelwright publish --evidence" in result.hint

    def test_a_later_failure_counts_more_than_an_earlier_success(self) -> None:
        assert not only(Verified(), facts(proof(number=1), proof(number=2, passed=False))).passed
        assert only(Verified(), facts(proof(number=3), proof(number=2, passed=False))).passed

    def test_the_order_is_that_of_numbers_whatever_clocks_say(self) -> None:
        late, early = proof(number=1, age=at(days=-3)), proof(number=2, age=at(days=3), passed=False)
        assert not only(Verified(), facts(late, early)).passed

    def test_every_interpreter_that_is_asked_for_needs_its_proof(self) -> None:
        release_of_two = release(wheel(A), wheel(B, tags=("cp312-none-any",)))
        gate = Verified(on=("cp311", "cp312"))
        assert not only(gate, facts(proof(A), release=release_of_two)).passed
        assert only(gate, facts(proof(A), proof(B, "cp312"), release=release_of_two)).passed

    def test_a_wheel_for_any_python_needs_every_proof_that_is_asked_for(self) -> None:
        portable = release(wheel(tags=("py3-none-any",)))
        gate = Verified(on=("cp311", "cp312"))
        missing = only(gate, facts(proof(), release=portable))
        assert not missing.passed
        assert "never verified on cp312" in missing.value
        assert "--python 3.12 " in missing.hint, "what is proved already is not asked for again"
        assert only(gate, facts(proof(), proof(interpreter="cp312", number=2), release=portable)).passed

    def test_a_wheel_for_another_interpreter_needs_a_proof_all_the_same(self) -> None:
        two = release(wheel(A), wheel(B, tags=("cp312-none-any",)))
        assert not only(Verified(on=("cp311",)), facts(proof(A), release=two)).passed
        assert only(Verified(on=("cp311",)), facts(proof(A), proof(B, "cp312"), release=two)).passed

    def test_an_interpreter_that_no_wheel_is_for_cannot_be_proved(self) -> None:
        assert "no wheel is for cp313" in only(Verified(on=("cp313",)), facts(proof())).value

    def test_a_release_without_a_wheel_has_no_proof(self) -> None:
        sdist = StoredFile(
            filename="churn-1.3.0.tar.gz", sha256=A, size=1, packagetype="sdist", uploaded="", publisher=""
        )
        assert not only(Verified(), facts(proof(), release=release(sdist))).passed

    @pytest.mark.parametrize(
        ("age", "passed"),
        [
            ({"days": 30}, True),
            ({"days": 30, "seconds": 1}, False),
            ({"days": 0}, True),
            ({"days": -400}, True),
        ],
    )
    def test_age_is_counted_from_when_the_registry_got_it(self, age: dict[str, float], passed: bool) -> None:
        assert only(Verified(max_age_days=30), facts(proof(age=at(**age)))).passed == passed


def measured(value: Any, *, number: int = 1, sha256: str = A, better: str = "higher", **more: Any) -> Evidence:
    one = {"metric": "roc_auc", "value": value, "dataset": "test", "better": better} | more
    return evidence("evaluation", [one], number=number, sha256=sha256)


def own(value: float, better: Any = "higher", version: str = "1.3.0", sha256: str = A, **more: Any) -> Release:
    one = Evaluation(metric="roc_auc", value=value, dataset="test", better=better, **more)
    return release(wheel(sha256), version=version, evaluations=(one,))


class TestMetric:
    @pytest.mark.parametrize(
        ("value", "threshold", "passed"),
        [
            (0.8, {"at_least": 0.8}, True),
            (0.7999999, {"at_least": 0.8}, False),
            (0.8, {"at_most": 0.8}, True),
            (0.8000001, {"at_most": 0.8}, False),
            (0.8, {"at_least": 0.7, "at_most": 0.9}, True),
            (0.95, {"at_least": 0.7, "at_most": 0.9}, False),
            (float("nan"), {"at_least": 0.0}, False),
            (float("nan"), {"at_most": 1.0}, False),
            (float("inf"), {"at_least": 0.0}, False),
        ],
    )
    def test_a_value_is_compared_with_its_thresholds(
        self, value: float, threshold: dict[str, Any], passed: bool
    ) -> None:
        gate = Metric(metric="roc_auc", dataset="test", **threshold)
        assert only(gate, facts(release=own(value))).passed == passed

    def test_value_and_threshold_are_told(self) -> None:
        result = only(Metric(metric="roc_auc", dataset="test", at_least=0.8), facts(release=own(0.78)))
        assert (result.gate, result.value, result.threshold) == ("metric roc_auc on test", "0.78", "≥ 0.8")

    @pytest.mark.parametrize(
        "gate",
        [
            Metric(metric="accuracy", dataset="test", at_least=0),
            Metric(metric="roc_auc", dataset="holdout", at_least=0),
            Metric(metric="roc_auc", dataset="test", slice="new", at_least=0),
        ],
    )
    def test_another_metric_data_set_or_slice_is_no_answer(self, gate: Metric) -> None:
        result = only(gate, facts(release=own(0.9)))
        assert not result.passed
        assert result.value == "never measured"

    def test_what_was_measured_last_counts(self) -> None:
        gate = Metric(metric="roc_auc", dataset="test", at_least=0.8)
        known = facts(measured(0.7, number=1), measured(0.9, number=2), release=own(0.5))
        assert only(gate, known).passed
        assert only(gate, known).evidence == (2,)
        assert not only(gate, facts(measured(0.9, number=1), measured(0.7, number=2), release=own(0.9))).passed

    def test_a_measurement_of_another_wheel_counts_nothing(self) -> None:
        gate = Metric(metric="roc_auc", dataset="test", at_least=0.8)
        assert not only(gate, facts(measured(0.9, sha256=B), release=own(0.5))).passed

    @pytest.mark.parametrize(
        ("new", "old", "better", "passed"),
        [
            (0.80, 0.85, "higher", True),
            (0.7999, 0.85, "higher", False),
            (0.90, 0.85, "higher", True),
            (0.35, 0.3, "lower", True),
            (0.3501, 0.3, "lower", False),
            (0.1, 0.3, "lower", True),
            (0.9, 0.85, "", False),
        ],
    )
    def test_it_may_be_a_little_worse_than_what_runs_in_its_own_direction(
        self, new: float, old: float, better: str, passed: bool
    ) -> None:
        gate = Metric(metric="roc_auc", dataset="test", within=0.05)
        incumbent = own(old, better, version="1.2.0", sha256=OLD)
        runs = (placed(OLD, stage="production", version="1.2.0"),)
        known = facts(release=own(new, better), incumbent=incumbent, placements=runs)
        assert only(gate, known).passed == passed

    def test_a_stage_that_runs_nothing_asks_for_no_comparison(self) -> None:
        assert only(Metric(metric="roc_auc", dataset="test", within=0), facts(release=own(0.1))).passed

    def test_but_the_metric_has_to_be_there(self) -> None:
        assert not only(Metric(metric="roc_auc", dataset="test", within=0), facts()).passed

    def test_what_runs_has_to_have_been_measured(self) -> None:
        runs = (placed(OLD, stage="production", version="1.2.0"),)
        unmeasured = release(wheel(OLD), version="1.2.0")
        gate = Metric(metric="roc_auc", dataset="test", within=0.05)
        assert not only(gate, facts(release=own(0.9), incumbent=unmeasured, placements=runs)).passed
        attached = measured(0.9, sha256=OLD)
        known = facts(release=own(0.9), incumbent=unmeasured, placements=runs, incumbent_evidence=(attached,))
        assert only(gate, known).passed
        assert not only(gate, facts(release=own(0.9), placements=runs)).passed

    def test_a_gate_without_a_threshold_lets_nothing_in(self) -> None:
        assert not only(Metric(metric="roc_auc", dataset="test"), facts(release=own(0.9))).passed

    def test_malformed_evidence_is_passed_over(self) -> None:
        gate = Metric(metric="roc_auc", dataset="test", at_least=0.8)
        assert only(gate, facts(evidence("evaluation", [{"value": "high"}]), release=own(0.9))).passed
        assert not only(gate, facts(measured(None, number=2))).passed


class TestCard:
    @pytest.mark.parametrize(
        ("sections", "card", "passed"),
        [
            (("Intended use",), CARD, True),
            (("INTENDED USE",), CARD, True),
            (("Intended use", "Factors"), CARD, False),
            (("Limits",), CARD, False),
            (("Factors",), CARD, False),
            ((), CARD, False),
            ((), "# Churn\n\nWho leaves.\n", True),
            ((), "", False),
            (("Use",), "# Use\n", False),
            (("Use",), "# Use\n\n## Deeper\n", False),
            (("Use",), "# Use\n\n## Deeper\ntext\n", True),
            (("Use",), "```\n# Use\n```\n", False),
            (("Use",), "---\n# Use\nx\n---\n", False),
            (("Use",), "## Use ##\ntext\n", True),
        ],
    )
    def test_the_sections_that_are_asked_for_say_something(
        self, sections: tuple[str, ...], card: str, passed: bool
    ) -> None:
        assert only(Card(sections=sections), facts(card=card)).passed == passed

    def test_what_is_missing_is_named(self) -> None:
        result = only(Card(sections=("Limits", "Factors")), facts(card=CARD))
        assert result.value == "Limits is missing; Factors says nothing"


def scan(worst: str = "info", *, runs: bool = False, sha256: str = A, number: int = 1) -> Evidence:
    findings = [{"severity": worst, "file": "x.pkl", "what": "calls os.system"}]
    content = {"where": "x", "executes_code": runs, "artifacts": [], "findings": findings, "worst": worst}
    return evidence("scan", content, sha256=sha256, number=number)


class TestScan:
    @pytest.mark.parametrize("allowed", ["info", "warning", "danger"])
    @pytest.mark.parametrize("found", ["info", "warning", "danger"])
    def test_nothing_worse_than_what_is_allowed(self, allowed: Any, found: str) -> None:
        order = ["info", "warning", "danger"]
        result = only(Scan(worst=allowed), facts(scan(found)))
        assert result.passed == (order.index(found) <= order.index(allowed))

    @pytest.mark.parametrize("known", [[], [scan(sha256=B)], [evidence("scan", {})], [evidence("attestation", {})]])
    def test_without_a_scan_of_this_wheel_it_does_not_pass(self, known: list[Evidence]) -> None:
        assert not only(Scan(worst="danger"), facts(*known)).passed

    def test_formats_that_run_code_can_be_kept_out_by_what_was_found_or_said(self) -> None:
        gate = Scan(no_code_in_artifact=True)
        assert only(gate, facts(scan())).passed
        assert not only(gate, facts(scan(runs=True))).passed
        assert not only(gate, facts(scan(), release=release(executes_code=True, format="joblib"))).passed
        assert only(Scan(), facts(scan(runs=True))).passed

    def test_every_wheel_counts_and_the_weights_too(self) -> None:
        two = release(wheel(A), wheel(B))
        assert not only(Scan(), facts(scan(), release=two)).passed
        assert only(Scan(), facts(scan(), scan(sha256=B, number=2), release=two)).passed
        assert not only(Scan(), facts(scan(), weights=(OLD,))).passed
        assert not only(Scan(), facts(scan(), scan("danger", sha256=OLD, number=2), weights=(OLD,))).passed
        assert only(Scan(), facts(scan(), scan(sha256=OLD, number=2), weights=(OLD,))).passed


UNSEEN = {"severity": "warning", "file": "manifest.json", "what": "says that the artifacts are in churn-weights==1.0.0"}


class TestScanOfWeights:
    SPLIT = release(requires=("numpy==2.4.6", "Churn_Weights==1.0.0"))

    def unseen(self, **more: Any) -> Evidence:
        findings = [UNSEEN, *more.pop("findings", [])]
        content = {"where": "x", "executes_code": False, "artifacts": [], "findings": findings, "worst": "warning"}
        return evidence("scan", content | more)

    def test_what_nobody_looked_into_does_not_pass(self) -> None:
        assert not only(Scan(), facts(self.unseen(), release=self.SPLIT)).passed
        assert not only(Scan(worst="danger"), facts(self.unseen(), release=self.SPLIT)).passed
        assert not only(Scan(), facts(self.unseen(), release=self.SPLIT, weights=(OLD,))).passed

    def test_weights_with_a_scan_of_their_own_pass_by_it(self) -> None:
        clean = scan(sha256=OLD, number=2)
        assert only(Scan(), facts(self.unseen(), clean, release=self.SPLIT, weights=(OLD,))).passed

    def test_what_else_was_found_in_the_model_still_counts(self) -> None:
        found = {"severity": "warning", "file": "features.py", "what": "calls os.system"}
        known = (self.unseen(findings=[found]), scan(sha256=OLD, number=2))
        result = only(Scan(), facts(*known, release=self.SPLIT, weights=(OLD,)))
        assert not result.passed
        assert "features.py" in result.value

    def test_weights_that_run_code_contradict_a_manifest_that_says_no(self) -> None:
        known = (self.unseen(), scan(sha256=OLD, number=2, runs=True))
        assert not only(Scan(), facts(*known, release=self.SPLIT, weights=(OLD,))).passed
        said = release(requires=self.SPLIT.requires, executes_code=True)
        assert only(Scan(), facts(*known, release=said, weights=(OLD,))).passed
        assert not only(Scan(no_code_in_artifact=True), facts(*known, release=said, weights=(OLD,))).passed


def signature(key: bytes = PRIVATE, *, sha256: str = A, about: str = A, number: int = 1) -> Evidence:
    content = sign(about, "churn-1.3.0-py3-none-any.whl", key)
    return evidence("signature", content, sha256=sha256, number=number)


class TestSigned:
    GATE = Signed(keys=("keys/ci.pem",))
    KEYS = {"keys/ci.pem": PUBLIC}

    def test_a_signature_by_a_listed_key_passes(self) -> None:
        result = only(self.GATE, facts(signature(), keys=self.KEYS))
        assert result.passed
        assert "keys/ci.pem" in result.value

    @pytest.mark.parametrize(
        "known",
        [
            [],
            [signature(OTHER_PRIVATE)],
            [signature(about=B)],
            [signature(sha256=B, about=B)],
            [evidence("signature", {"payload": "x"})],
        ],
    )
    def test_any_other_signature_does_not(self, known: list[Evidence]) -> None:
        assert not only(self.GATE, facts(*known, keys=self.KEYS)).passed

    def test_a_key_that_is_not_there_signs_nothing(self) -> None:
        assert not only(self.GATE, facts(signature(), keys={})).passed
        assert not only(self.GATE, facts(signature(), keys={"keys/other.pem": PUBLIC})).passed

    def test_a_bad_signature_does_not_hide_a_good_one(self) -> None:
        assert only(self.GATE, facts(signature(), signature(OTHER_PRIVATE, number=2), keys=self.KEYS)).passed

    def test_every_wheel_has_to_be_signed(self) -> None:
        assert not only(self.GATE, facts(signature(), keys=self.KEYS, release=release(wheel(A), wheel(B)))).passed


def approval(actor: str, *, stage: str = "production", sha256: str = A, number: int = 1) -> Evidence:
    return evidence("approval", {"stage": stage, "reason": "fine"}, actor=actor, sha256=sha256, number=number)


class TestApproved:
    def test_an_owner_who_is_not_the_publisher_is_enough(self) -> None:
        result = only(Approved(), facts(approval("bob", number=5)))
        assert result.passed
        assert (result.value, result.evidence) == ("bob", (5,))

    @pytest.mark.parametrize(
        "known",
        [
            [],
            [approval("ann")],
            [approval("stranger")],
            [approval("bob", stage="staging")],
            [approval("bob", sha256=B)],
            [evidence("approval", "production", actor="bob")],
            [evidence("attestation", {"stage": "production"}, actor="bob")],
        ],
    )
    def test_anyone_else_for_anything_else_is_not(self, known: list[Evidence]) -> None:
        assert not only(Approved(), facts(*known)).passed

    def test_one_owner_counts_once(self) -> None:
        twice = [approval("bob", number=1), approval("bob", number=2)]
        assert not only(Approved(count=2), facts(*twice)).passed
        assert only(Approved(count=2), facts(*twice, approval("eve", number=3))).passed

    def test_who_published_any_of_the_files_does_not_count(self) -> None:
        two = release(wheel(A), wheel(B, publisher="bob"))
        assert not only(Approved(), facts(approval("bob"), approval("bob", sha256=B), release=two)).passed

    def test_a_wheel_that_came_later_is_not_approved(self) -> None:
        two = release(wheel(A), wheel(B))
        assert not only(Approved(), facts(approval("bob"), release=two)).passed
        assert only(Approved(), facts(approval("bob"), approval("bob", sha256=B, number=2), release=two)).passed

    def test_who_could_approve_is_told(self) -> None:
        assert "by bob or eve" in only(Approved(), facts()).hint
        assert "none beside its publisher" in only(Approved(), facts(owners=("ann",))).hint


class TestSoaked:
    @pytest.mark.parametrize(
        ("since", "passed"),
        [({"hours": 24}, True), ({"hours": 24, "seconds": -1}, False), ({"hours": -5}, False), ({"days": 9}, True)],
    )
    def test_time_is_counted_from_the_promotion(self, since: dict[str, float], passed: bool) -> None:
        assert only(Soaked(hours=24), facts(placements=(placed(A, since=at(**since)),))).passed == passed

    @pytest.mark.parametrize(
        "placements",
        [
            (),
            (placed(A, stage="dev"),),
            (placed(A, current=False),),
            (placed(B, version="1.2.0"),),
            (placed(B),),
        ],
    )
    def test_only_exactly_these_wheels_in_the_stage_before_count(self, placements: tuple[Placement, ...]) -> None:
        result = only(Soaked(hours=1), facts(placements=placements))
        assert not result.passed
        assert "promote churn==1.3.0 --to staging" in result.hint

    def test_what_was_tried_in_between_interrupts(self) -> None:
        interrupted = (
            placed(A, since=at(days=9)),
            placed(B, sequence=2, current=False, withdrawn=True, since=at(hours=2)),
        )
        assert not only(Soaked(hours=24), facts(placements=interrupted)).passed
        assert only(Soaked(hours=2), facts(placements=interrupted)).passed

    def test_several_wheels_soak_together(self) -> None:
        two = release(wheel(A), wheel(B))
        assert only(Soaked(hours=24), facts(release=two, placements=(placed(digest_of([A, B])),))).passed
        assert not only(Soaked(hours=24), facts(release=two, placements=(placed(A),))).passed

    def test_a_first_stage_has_none_before(self) -> None:
        assert not judge([Soaked(hours=0)], facts(before=""))[0].passed


GOOD = [
    *(proof(number=number) for number in range(10, 13)),
    *(scan(number=number) for number in range(20, 22)),
    *(signature(number=number) for number in range(30, 32)),
    *(approval(actor, number=40 + number) for number, actor in enumerate(("bob", "eve", "stranger", "ann"))),
    *(measured(value, number=50 + number) for number, value in enumerate((0.9, 0.95))),
]
EVERY: list[Gate] = [
    Verified(on=("cp311",), max_age_days=30),
    Metric(metric="roc_auc", dataset="test", at_least=0.8),
    Card(sections=("Intended use",)),
    Scan(),
    Signed(keys=("ci",)),
    Approved(),
    Soaked(hours=24),
]
SOME = st.lists(st.sampled_from(GOOD), unique_by=lambda one: one.id)


@given(SOME, SOME)
def test_more_good_evidence_never_closes_a_gate(some: list[Evidence], more: list[Evidence]) -> None:
    both = {one.id: one for one in (*some, *more)}.values()
    fewer, all_of_it = facts(*some, keys={"ci": PUBLIC}), facts(*both, keys={"ci": PUBLIC})
    for before, after in zip(judge(EVERY, fewer), judge(EVERY, all_of_it), strict=True):
        assert after.passed or not before.passed


@given(SOME, st.randoms())
def test_the_order_in_which_evidence_is_listed_decides_nothing(some: list[Evidence], random: Any) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    assert judge(EVERY, facts(*some, keys={"ci": PUBLIC})) == judge(EVERY, facts(*shuffled, keys={"ci": PUBLIC}))


@given(SOME)
def test_evidence_about_another_wheel_opens_nothing(some: list[Evidence]) -> None:
    foreign = [msgspec.structs.replace(one, sha256=B) for one in some]
    assert judge(EVERY, facts(*foreign, keys={"ci": PUBLIC})) == judge(EVERY, facts(keys={"ci": PUBLIC}))


def test_every_gate_answers_even_if_the_first_one_fails() -> None:
    results = judge(EVERY, facts())
    assert [result.gate.partition(" ")[0] for result in results] == [
        "verified",
        "metric",
        "card",
        "scan",
        "signed",
        "approved",
        "soaked",
    ]
    assert not any(result.passed for result in results)
