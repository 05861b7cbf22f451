"""Ask a server about real patients, one by one, and count who answered.

Usage: python patients.py PORT SECONDS

Every request names its patient (modelwright-unit), so that one patient is always answered by the same version.
"""

import http.client
import json
import signal
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

CALLERS = 12
port, seconds = int(sys.argv[1]), float(sys.argv[2])

patients = cycle(list(enumerate(json.loads(Path("patients.json").read_text()))))
answers, failures = Counter[str](), Counter[str]()
versions = defaultdict[int, set[str]](set)
until = time.monotonic() + seconds


def stop(*_: object) -> None:
    """Ask about nobody else."""
    global until
    until = 0.0


def call(_: int) -> None:
    """Ask about one patient after the other on one connection, until time is up."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while time.monotonic() < until:
        number, patient = next(patients)
        unit = {"modelwright-unit": f"patient-{number}", "content-type": "application/json"}
        try:
            connection.request("POST", "/models/progression/predict", json.dumps([patient]), unit)
            reply = connection.getresponse()
            said = json.loads(reply.read())
        except OSError as error:
            failures[str(error)] += 1
            return
        if reply.status == 200:
            answers[said["version"]] += 1
            versions[number].add(said["version"])
        else:
            failures[f"{reply.status}, {said['error']}"] += 1


signal.signal(signal.SIGTERM, stop)
with ThreadPoolExecutor(CALLERS) as pool:
    list(pool.map(call, range(CALLERS)))

for version, times in sorted(answers.items()):
    print(f"{version} answered {times:,} requests")
for told, times in failures.items():
    print(f"{times:,} failed: {told}")
several = sum(len(found) > 1 for found in versions.values())
print(f"{sum(failures.values())} failed; {len(versions)} patients, {several} of them answered by more than one version")
