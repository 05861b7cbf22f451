"""The part of the demo about serving: ask, compare two versions, have a bad one withdrawn, go back under traffic.

Told by :mod:`.chapters` after the releases, before the log is read. Without what it needs it says which line installs
that, and the story goes on.
"""

from __future__ import annotations

import shutil
import socket
from importlib.util import find_spec

from modelwright.cli.demo_story.releases import REGISTRY
from modelwright.cli.demo_story.telling import Chapter, Run
from modelwright.serving.serve import EXTRA

CARELESS = "dist/progression-2.0.0-*.whl"
READY = "until grep Ready serve.log; do sleep 0.2; kill -0 $(cat serve.pid) || { cat serve.log; exit 1; }; done"
FOLLOWED = "until grep '{}' serve.log; do sleep 0.1; done"
TOLD = "kill $(cat patients.pid) && until grep -q failed patients.txt; do sleep 0.1; done; cat patients.txt"
ENDED = "kill $(cat serve.pid) && until grep Ended serve.log; do sleep 0.1; done"
NEEDED = (*EXTRA, "httpx2")
LACKING = Chapter(
    "Serve it",
    'This needs what is not installed here: pip install "modelwright[serve]" and the command curl.',
    (),
)


def serving() -> tuple[Chapter, ...]:
    """Return the chapters about serving, on a port that is free now."""
    if shutil.which("curl") is None or any(find_spec(name) is None for name in NEEDED):
        return (LACKING,)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return _told(port, f"http://127.0.0.1:{port}")


def _told(port: int, url: str) -> tuple[Chapter, ...]:
    ask = f"curl --silent --header content-type:application/json {url}/models/progression/predict --data"
    return (
        Chapter(
            "Serve what is in production",
            "One command, and an environment of its own, made from the lock. Rows are checked before they reach the "
            "model, and every mistake is named. A browser finds a page to try it at / and the API at /docs.",
            (
                Run(
                    f"modelwright serve progression@production --watch --port {port} {REGISTRY} "
                    ">access.log 2>serve.log & echo $! >serve.pid"
                ),
                Run(READY),
                Run(f"{ask} @patient.json"),
                Run(f"{ask} @mistakes.json | python -m json.tool", lines=26),
            ),
        ),
        Chapter(
            "Compare two versions on the same traffic",
            "Each patient is answered by one version, always the same one, whoever asks and whichever process answers.",
            (
                Run(f"modelwright rollout progression==1.1.0 --on {url} --ab 50 --reason 'which is right?' --quiet"),
                Run(f"python patients.py {port} 2"),
                Run(f"modelwright rollout abort progression --on {url} --reason 'seen enough' --quiet"),
            ),
        ),
        Chapter(
            "Let a bad version be withdrawn by itself",
            "Somebody leaves out the patients with gaps, from the test as well: the figures look better. The registry "
            "insists on the number 2.0.0, and nobody wonders why. The canary finds out.",
            (
                Run("python train_progression.py 2.0.0 350 complete", lines=4),
                Run("modelwright build models/progression-2.0.0 --quiet"),
                Run(f"modelwright publish {CARELESS} --to registry --quiet"),
                Run(
                    f"python patients.py {port} 300 & ! modelwright rollout progression==2.0.0 --on {url} --canary 25 "
                    "--interval 1 --reason 'better figures' --watch && kill $! && wait",
                ),
            ),
        ),
        Chapter(
            "Promote and go back under traffic",
            "The server follows the stage: each is one command, and no request fails. In the end it answers what is "
            "under way, and stops.",
            (
                Run(f"python patients.py {port} 300 >patients.txt 2>&1 & echo $! >patients.pid"),
                Run(f"modelwright promote progression 1.1.0 --to production --reason 'no worse' {REGISTRY} --quiet", 1),
                Run(FOLLOWED.format("1.0.0 → 1.1.0")),
                Run(
                    f"modelwright rollback progression --stage production --reason 'an exercise' {REGISTRY} --quiet",
                    lines=1,
                ),
                Run(FOLLOWED.format("1.1.0 → 1.0.0")),
                Run(TOLD),
                Run(ENDED),
            ),
        ),
    )
