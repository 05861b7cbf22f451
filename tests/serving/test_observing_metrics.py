"""Metrics have the usual names and units, and callers cannot make series."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus

from modelwright.serving.inference import Event
from modelwright.serving.observing.metrics import Metrics, Readings
from modelwright.serving.observing.tallies import UNKNOWN

READINGS = Readings(
    in_flight=3,
    queue_rows={("churn", "1.3.0"): 40},
    workers={("churn", "1.3.0", "ready"): 2},
    shares={("churn", "control"): 0.9, ("churn", "canary"): 0.1},
    records_written=10,
    records_dropped={"queue": 4},
    lines_dropped=5,
)
SUFFIXES = {"counter": "_total", "info": "_info"}
UNITS = ("_seconds", "_bytes", "_rows", "_ratio", "_info", "_share", "_in_flight", "_workers", "_fds", "_objects")


def told(**fields) -> Event:
    known = {"time_s": 0.0, "request_id": "r", "transport": "rest", "model": "churn", "version": "1.3.0"}
    return Event(**known | fields)


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of a server that did some of everything."""
    made = Metrics(lambda: ("churn",), lambda: READINGS, release="1.2.3")
    made.observe(told(rows=2, seconds=0.004, queue_seconds=0.001, predict_seconds=0.002, variant="control"))
    made.observe(told(rows=3, seconds=40.0, queue_seconds=0.0, predict_seconds=0.002, variant="control"))
    made.observe(told(status=422, error="MW201", variant="control", rows=7))
    made.observe(told(shadow=True, variant="candidate", seconds=0.1, predict_seconds=0.1))
    made.tallies.batch("churn", "1.3.0", 5)
    made.worker_restarted("churn", "1.3.0", "crash")
    made.rolled_back("churn", "canary")
    made.shadow_compared("churn", "candidate", rows=10, differing=2)
    made.shadow_dropped("churn", "candidate")
    return made


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    text, _ = metrics.render()
    return {
        (sample.name, *(f"{key}={value}" for key, value in sorted(sample.labels.items()))): sample.value
        for family in read_prometheus(text.decode())
        for sample in family.samples
    }


def test_requests_are_counted_by_status(metrics):
    found = samples(metrics)
    source = ("model=churn", "transport=rest", "variant=control", "version=1.3.0")
    assert found["modelwright_requests_total", "code=200", *source] == 2
    assert found["modelwright_requests_total", "code=422", *source] == 1
    assert found["modelwright_rows_total", "model=churn", "variant=control", "version=1.3.0"] == 5


def test_times_fall_into_their_buckets(metrics):
    found = samples(metrics)
    source = ("model=churn", "variant=control", "version=1.3.0")
    name = "modelwright_request_duration_seconds"
    assert found[f"{name}_bucket", "le=0.005", *source] == 2
    assert found[f"{name}_bucket", "le=30.0", *source] == 2
    assert found[f"{name}_bucket", "le=+Inf", *source] == found[f"{name}_count", *source] == 3
    assert found[f"{name}_sum", *source] == pytest.approx(40.004)
    assert found["modelwright_predict_duration_seconds_count", *source] == 2


def test_what_others_know_is_read_when_asked(metrics):
    found = samples(metrics)
    assert found["modelwright_requests_in_flight",] == 3
    assert found["modelwright_queue_rows", "model=churn", "version=1.3.0"] == 40
    assert found["modelwright_workers", "model=churn", "state=ready", "version=1.3.0"] == 2
    assert found["modelwright_rollout_share", "model=churn", "variant=canary"] == 0.1
    assert found["modelwright_records_dropped_total", "reason=queue"] == 4
    assert found["modelwright_access_log_dropped_total",] == 5


def test_what_happens_seldom_is_counted(metrics):
    found = samples(metrics)
    assert found["modelwright_worker_restarts_total", "model=churn", "reason=crash", "version=1.3.0"] == 1
    assert found["modelwright_rollout_rollbacks_total", "model=churn", "variant=canary"] == 1
    assert found["modelwright_shadow_differing_rows_total", "model=churn", "variant=candidate"] == 2
    assert found["modelwright_shadow_dropped_total", "model=churn", "variant=candidate"] == 1
    assert found["modelwright_batch_rows_bucket", "le=8.0", "model=churn", "version=1.3.0"] == 1


def test_shadows_are_counted_apart(metrics):
    found = samples(metrics)
    assert not any("variant=candidate" in key and key[0] == "modelwright_requests_total" for key in found)
    assert any("variant=candidate" in key and key[0] == "modelwright_shadow_requests_total" for key in found)


def test_the_process_and_the_build_are_there(metrics):
    names = {key[0] for key in samples(metrics)}
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "modelwright_build_info"} <= names


def test_models_that_are_not_served_are_one_series():
    made = Metrics(lambda: ("churn",), Readings)
    for number in range(1000):
        made.observe(told(model=f"invented-{number}", version="", status=404, error="MW1202"))
    made.observe(told(version="", status=503, error="MW1209"))
    assert {key[0] for key in made.tallies.asked} == {UNKNOWN, "churn"}
    assert made.tallies.asked[UNKNOWN, "", ""].codes == {("rest", 404): 1000}


def test_a_version_that_went_away_is_forgotten(metrics):
    metrics.tallies.retire("churn", "1.3.0")
    assert not any(key[0].startswith("modelwright_request_duration") for key in samples(metrics))


@pytest.mark.parametrize("accept", ["application/openmetrics-text;version=1.0.0,text/plain;q=0.5", ""])
def test_every_name_is_one_that_promtool_accepts(metrics, accept):
    text, media_type = metrics.render(accept)
    assert media_type.startswith("application/openmetrics-text" if accept else "text/plain; version=0.0.4")
    families = list((read_openmetrics if accept else read_prometheus)(text.decode()))
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert re.fullmatch("[a-z_]+", family.name)
        assert family.documentation
        assert not re.search("(millis|micro|_ms|minutes|hours|kilo|mega|counter|gauge|histogram)", family.name)
        if family.type == "counter":
            assert all(sample.name.endswith(("_total", "_created")) for sample in family.samples)
        elif family.name.startswith("modelwright"):
            assert family.name.endswith(UNITS)
            assert not family.name.endswith(("_total", "_count", "_sum"))


@pytest.mark.parametrize("accept", ["*/*", "text/html", ";;,,=", "text/plain;version=abc", "x" * 10_000])
def test_any_accept_gets_an_answer(metrics, accept):
    assert metrics.render(accept)[1].startswith("text/plain")


def test_the_documentation_lists_every_metric_with_its_labels(metrics):
    page = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
    listed = re.findall(r"^\| `(modelwright_\w+)` \| ([\w, ]*)\| (.+) \|$", page.read_text("utf-8"), re.MULTILINE)
    families = read_openmetrics(metrics.render("application/openmetrics-text")[0].decode())
    given = {
        f"{family.name}{SUFFIXES.get(family.type, '')}": (
            {label for sample in family.samples for label in sample.labels} - {"le"},
            family.documentation,
        )
        for family in families
        if family.name.startswith("modelwright")
    }
    assert {name: ({*filter(None, labels.strip().split(", "))}, text) for name, labels, text in listed} == given
