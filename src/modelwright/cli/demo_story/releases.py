"""The part of the demo about the registry: publish, be refused, promote, install, go back, and who did what.

Told by :mod:`.chapters`, when there are wheels of two versions and somebody to install them.
"""

from __future__ import annotations

from modelwright.cli.demo_story.telling import Chapter, Run

OLD = "dist/progression-1.0.0-*.whl"
NEW = "dist/progression-1.1.0-*.whl"
REGISTRY = "--registry registry"

# No settings of this machine: of two indexes pip would take the higher version, whoever published it.
INSTALL = (
    "PIP_CONFIG_FILE=/dev/null consumer/bin/pip install --isolated --disable-pip-version-check --quiet "
    "--no-deps --force-reinstall --index-url file://$PWD/registry/production/simple/ progression && "
    "consumer/bin/pip list --format freeze | grep progression"
)
RELEASES = (
    Chapter(
        "Publish to a registry",
        "A folder is enough: it is a package index, once as a whole and once for each stage. What a stage asks of a "
        "release stands in registry.toml, and nobody has proved this wheel to the registry yet.",
        (
            Run("mkdir registry && mv registry.toml registry/ && cat registry/registry.toml"),
            Run(f"modelwright publish {OLD} --to registry"),
            Run(
                "modelwright promote progression 1.0.0 --to production --reason 'first model' --registry registry",
                ends=(4,),
            ),
        ),
    ),
    Chapter(
        "Promote, and install what is in production",
        "The report of verify is the evidence, for the wheel with this sha256 and no other. pip needs nothing but the "
        "stage's address.",
        (
            Run("modelwright publish --evidence report-1.0.0.json --to registry --quiet"),
            Run("modelwright promote progression 1.0.0 --to production --reason 'first model' --registry registry"),
            Run(INSTALL),
        ),
    ),
    Chapter(
        "Release the next version, and take it back",
        "A rollback asks no gate and takes effect at once: whoever installs now gets what ran before.",
        (
            Run(f"modelwright verify {NEW} --report report-1.1.0.json --quiet"),
            Run(f"modelwright publish {NEW} --evidence report-1.1.0.json --to registry --quiet"),
            Run(
                "modelwright promote progression 1.1.0 --to production --reason '100 more patients' "
                "--registry registry --quiet"
            ),
            Run(INSTALL),
            Run(
                "modelwright rollback progression --stage production --reason 'wrong for the young' "
                "--registry registry --quiet"
            ),
            Run(INSTALL),
        ),
    ),
)
MEMORY = Chapter(
    "Ask who did what, and edit the answer",
    "Every change and every refused attempt is an entry of a log, and every entry holds the hash of the one "
    "before. Whoever edits one is found out.",
    (
        Run("modelwright history progression --registry registry --quiet", lines=30),
        Run("tail -n 7 edit_log.py"),
        Run("python edit_log.py"),
        Run("modelwright audit --verify --registry registry --quiet", ends=(1,)),
    ),
)
