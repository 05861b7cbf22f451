"""The story of the demo: from a trained model to a wheel, into production and before callers, and what is refused.

Nothing is prepared: every command is run as it is shown, and prints what it prints.
"""

from __future__ import annotations

from importlib.util import find_spec

from modelwright.cli.demo_story.releases import MEMORY, NEW, OLD, RELEASES
from modelwright.cli.demo_story.serving import serving
from modelwright.cli.demo_story.telling import Chapter, Run

TUMOUR = "dist/tumour-1.0.0-*.whl"

USE = "import progression, tumour, pandas; print(tumour.predict(pandas.read_csv('rows.csv')))"
MISTAKE = (
    "import pandas, tumour; tumour.predict(pandas.read_csv('rows.csv').rename(columns={'mean_area': 'mean_aera'}))"
)
NO_TOOL = "import modelwright"
EVIL = (
    "import os, pickle; Evil = type('Evil', (), {'__reduce__': lambda self: (os.system, ('touch stolen',))}); "
    "pickle.dump(Evil(), open('evil.pkl', 'wb'))"
)


def chapters() -> tuple[Chapter, ...]:
    """Return the story; the way a virtual environment is made depends on this Python."""
    venv = "python -m venv consumer" if find_spec("ensurepip") else "uv venv --seed consumer"
    return (
        Chapter(
            "Train a model and capture it",
            "442 patients: numbers, categories, gaps. The script ends with mw.capture(...), which takes the model with "
            "its code, its exact libraries, its quality and its proof. A function of the script is part of the model.",
            (
                Run("tail -n 21 train_progression.py", lines=30),
                Run("python train_progression.py 1.0.0 250"),
                Run("ls models/progression-1.0.0/progression models/progression-1.0.0/progression/model", lines=30),
                Run("cat models/progression-1.0.0/progression/features.py"),
            ),
        ),
        Chapter(
            "Capture a model that was saved long ago",
            "Opening a .joblib file runs whatever it names, so it is read first. This one names only what scikit-learn "
            "consists of; the other would run a command, and is refused without being opened.",
            (
                Run("python train_tumour.py"),
                Run(
                    "modelwright capture tumour.joblib --name tumour --version 1.0.0 --sample train.csv "
                    "--target diagnosis --evaluate test.csv",
                    lines=20,
                ),
                Run(f'python -c "{EVIL}"'),
                Run("modelwright capture evil.pkl --name evil --version 1.0.0 --sample train.csv", ends=(4,)),
                Run("ls stolen", ends=(1, 2)),
            ),
        ),
        Chapter(
            "Build wheels",
            "Pure packaging: the model is not imported, and the same folder gives the same bytes.",
            (
                Run("modelwright build models/progression-1.0.0"),
                Run("modelwright build models/tumour-1.0.0 --quiet"),
                Run(f"modelwright inspect {TUMOUR} --quiet", lines=14),
            ),
        ),
        Chapter(
            "Verify",
            "A clean environment from the wheel's own lock, its own scenarios, and a report bound to its sha256.",
            (Run(f"modelwright verify {OLD} --report report-1.0.0.json"),),
        ),
        Chapter(
            "Install with plain pip where modelwright was never heard of",
            "A model is a library like any other.",
            (
                Run(venv),
                Run(f"consumer/bin/pip install --quiet {OLD} {TUMOUR}", lines=-3),
                Run("consumer/bin/pip list", lines=20),
                Run(f'consumer/bin/python -c "{NO_TOOL}"', lines=-1, ends=(1,)),
            ),
        ),
        Chapter(
            "Predict, from Python and from the command line",
            "A data frame in, a data frame out; a file in, a file out. A mistake is named, with place and cure.",
            (
                Run(f'consumer/bin/python -c "{USE}"'),
                Run("consumer/bin/tumour predict rows.csv"),
                Run(f'consumer/bin/python -c "{MISTAKE}" 2>&1 | grep -A9 MW201', ends=(0,)),
            ),
        ),
        Chapter(
            "Retrain, and see what changed",
            "A hundred more patients. diff runs both versions on the scenarios of both and gives a SemVer verdict.",
            (
                Run("python train_progression.py 1.1.0 350"),
                Run("modelwright build models/progression-1.1.0 --quiet"),
                Run(f"modelwright diff {OLD} {NEW}", lines=40, ends=(0, 1)),
            ),
        ),
        *RELEASES,
        *serving(),
        MEMORY,
        Chapter(
            "Try another Python",
            "The model was verified on this Python only, and the wheel's tag says so: no installer puts it on another.",
            (
                Run(
                    f"consumer/bin/pip download --no-deps --only-binary :all: --python-version 3.10 --dest other {OLD}",
                    lines=-1,
                    ends=(1,),
                ),
            ),
        ),
        Chapter(
            "Flip one byte",
            "pip installs the tampered wheel without a word. The package looks before it loads, and so does verify.",
            (
                Run("tail -n 10 tamper.py"),
                Run("python tamper.py"),
                Run(
                    "consumer/bin/pip install --quiet --no-deps --force-reinstall tampered/*.whl && echo installed", -1
                ),
                Run("consumer/bin/tumour predict rows.csv", ends=(4,)),
                Run("modelwright verify tampered/*.whl", ends=(4,)),
            ),
        ),
    )
