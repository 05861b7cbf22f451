"""A canary's analysis, on simulated traffic: false rollbacks of canaries that are alike, and how soon a fault is found.

Every request is an event that windows observe and :func:`~modelwright.serving.rollout.canary.step` judges, as in the
server; only the model and the clock are made up. Latencies are log-normal (sigma 0.5); a probability
is predicted; 0.2 % of the requests fail at the least load, and the load, which drifts within and between intervals,
makes up to four times as many fail, doubles the latencies, and brings 40 % more requests. An interval has at least 200
requests of the canary, nearly always. Of the canaries that are alike, some live through the default steps, others are
held at a share for many checks, and others have pauses of one variant's process that hit many requests at once.
Prints a table; the raw output goes to ``benchmarks/results/serving_canary.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from modelwright.serving.inference import Event, Values
from modelwright.serving.rollout.canary import begin, step
from modelwright.serving.rollout.criteria import Criteria
from modelwright.serving.rollout.predictions import Watched
from modelwright.serving.rollout.states import Observation, Schedule
from modelwright.serving.rollout.windows import Window

RESULTS = Path(__file__).parent / "results" / "serving_canary.json"
WATCHED = (Watched("probability", "number"),)
LOADS = (1.0, 1.4, 2.0, 2.8, 4.0)
POOL = 5_000
PER_INTERVAL = 2_200
BASE_ERRORS = 0.002

SAID: dict[str, Any] = {"time_s": 0.0, "request_id": "r", "transport": "rest", "model": "churn"}
PAUSED = Event(**SAID, seconds=0.2)


class Traffic(NamedTuple):
    """Requests per load, to draw from, and how often a process pauses: probability in a tenth of an interval."""

    requests: dict[float, list[Event]]
    pauses: float


def traffic(
    rng: random.Random,
    *,
    errors: float = 0.0,
    slow: float = 1.0,
    shift: float = 0.0,
    tail: float = 0.0,
    pauses: float = 0.0,
) -> Traffic:
    """Return what one variant does.

    Args:
        rng: Source of chance.
        errors: Share that fails besides.
        slow: Factor of all latencies.
        shift: What is added to the log-odds that are predicted.
        tail: Share of the requests that take ten times as long.
        pauses: Probability that its process pauses in a tenth of an interval.
    """

    def one(load: float) -> Event:
        seconds = 0.004 * math.sqrt(load) * slow * rng.lognormvariate(0, 0.5) * (10 if rng.random() < tail else 1)
        if rng.random() < BASE_ERRORS * load + errors:
            return Event(**SAID, seconds=seconds, status=500)
        probability = 1 / (1 + math.exp(-rng.gauss(-1 + shift, 1.2)))
        return Event(**SAID, seconds=seconds, outputs={"probability": Values([probability])})

    return Traffic({load: [one(load) for _ in range(POOL)] for load in LOADS}, pauses)


def interval(rng: random.Random, share: float, *, canary: Traffic, control: Traffic, windows: Observation) -> None:
    """Observe one interval in ten parts, each with a load of its own."""
    place = rng.randrange(len(LOADS))
    for _ in range(10):
        place = min(max(place + rng.choice((-1, 0, 0, 1)), 0), len(LOADS) - 1)
        load = LOADS[place]
        count = round(PER_INTERVAL / 10 * (1 + 0.1 * place) * rng.uniform(0.9, 1.1))
        to_canary = sum(rng.random() < share for _ in range(count))
        for traffic_of, window, number in (
            (canary, windows.canary, to_canary),
            (control, windows.control, count - to_canary),
        ):
            pause = number // 5 if rng.random() < traffic_of.pauses else 0
            for event in rng.choices(traffic_of.requests[load], k=number - pause):
                window.observe(event)
            for _ in range(pause):
                window.observe(PAUSED)


def live(rng: random.Random, schedule: Schedule, *, canary: Traffic, control: Traffic, intervals: int) -> Any:
    """Return the last state of a canary and the reason, after so many intervals at most."""
    state, _ = begin(schedule, Criteria(), now=0.0)
    windows, reason = Observation(canary=Window(WATCHED), control=Window(WATCHED)), ""
    for number in range(1, intervals + 1):
        interval(rng, state.share, canary=canary, control=control, windows=windows)
        before = state.window
        state, actions = step(state, windows, number * schedule.interval_s)
        reason = actions[-1].transition.reason
        if state.ended:
            break
        if state.window != before:
            windows = Observation(canary=Window(WATCHED), control=Window(WATCHED))
    return state, reason


def many(
    number: int, schedule: Schedule, make: Callable[[random.Random], tuple[Traffic, Traffic]], *, intervals: int
) -> dict[str, Any]:
    """Return how many of so many canaries ended how, and after how many intervals."""
    phases: Counter[str] = Counter()
    rolled_back, reasons = [], Counter()
    start = time.process_time()
    for seed in range(number):
        rng = random.Random(seed)
        if seed % 100 == 0:
            canary, control = make(rng)
        state, reason = live(rng, schedule, canary=canary, control=control, intervals=intervals)
        phases[state.phase] += 1
        if state.phase == "rolled back":
            rolled_back.append(state.checks)
            reasons[reason.split(": ", 1)[1].split(" ")[0]] += 1
    return {
        "canaries": number,
        "phases": dict(phases),
        "intervals_until_rollback": dict(sorted(Counter(rolled_back).items())),
        "reasons": dict(reasons),
        "cpu_s": round(time.process_time() - start, 1),
    }


def main() -> None:
    """Run all, print the table, keep the raw output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alike", type=int, default=1000, help="canaries that are alike")
    parser.add_argument("--faulty", type=int, default=100, help="canaries per fault")
    options = parser.parse_args()
    steps, held = Schedule(), Schedule(shares=(0.1, 0.25))

    def alike(**both: float) -> Callable[[random.Random], tuple[Traffic, Traffic]]:
        return lambda rng: (traffic(rng, **both), traffic(rng, **both))

    def faulty(**fault: float) -> Callable[[random.Random], tuple[Traffic, Traffic]]:
        return lambda rng: (traffic(rng, **fault), traffic(rng))

    cases = {
        "alike, default steps": (options.alike, steps, alike(), 20),
        "alike, held at 25 %": (options.alike // 40, held, alike(), 30),
        "alike, with pauses": (options.alike // 10, steps, alike(pauses=0.05), 20),
        "5 % errors": (options.faulty, steps, faulty(errors=0.05), 20),
        "p99 × 2": (options.faulty, steps, faulty(slow=2.0), 20),
        "3 % take 10 × as long": (options.faulty, steps, faulty(tail=0.03), 20),
        "log-odds + 1.2": (options.faulty, steps, faulty(shift=1.2), 20),
    }
    raw = {
        name: many(number, schedule, make, intervals=at_most)
        for name, (number, schedule, make, at_most) in cases.items()
    }
    print(f"{'case':26}{'rolled back':>14}  after intervals")
    for name, found in raw.items():
        back = found["phases"].get("rolled back", 0)
        print(f"{name:26}{back:>7} of {found['canaries']:<5} {found['intervals_until_rollback']}  {found['reasons']}")
    RESULTS.write_text(json.dumps(raw, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
