"""Which commands there are: the one table that the front page, the parser and the reference are made from.

It imports nothing, so that ``modelwright --help`` costs little more than starting Python. A command is a function, or
an application with commands of its own, in the module of the same name beside this one, imported when it is run.
"""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """One command.

    Attributes:
        name: What is typed; also the name of its module and function, unless ``module`` says otherwise.
        group: Heading it stands under.
        summary: What it does, one line.
        module: Name of its module and function where Python has taken the command's (``import``, ``list``).
    """

    name: str
    group: str
    summary: str
    module: str = ""

    @property
    def target(self) -> str:
        """Where it is, as ``module:function``.

        Example:
            >>> Command("import", "Share", "Take in a bundle.", module="importing").target
            'modelwright.cli.importing:importing'
        """
        name = self.module or self.name
        return f"modelwright.cli.{name}:{name}"


COMMANDS = (
    Command("new", "Make", "Make a model project: from nothing, or from a notebook, proved equal to it."),
    Command("adopt", "Make", "Turn a project that exists already into one that builds a model wheel."),
    Command("capture", "Make", "Turn a trained model into a model folder, with everything it needs."),
    Command("build", "Make", "Turn a model folder into a wheel that pip and uv install."),
    Command("verify", "Make", "Prove a package in a clean environment, from its own lock, with its own scenarios."),
    Command("bump", "Make", "Raise the version as far as the changes ask for, and write the changelog."),
    Command("lock", "Make", "Lock an environment, for pip, uv and conda."),
    Command("inspect", "Look", "Show what is in a package, without executing any of it."),
    Command("diff", "Look", "Compare two packages: signature, metrics, pins, behaviour, and what SemVer says."),
    Command("scan", "Look", "Say what loading a package would do, without doing it."),
    Command("serve", "Use", "Serve models: a REST API, the Open Inference Protocol, and a page to try them."),
    Command("predict", "Use", "Predict for a file of rows, in an environment of the model's own."),
    Command("publish", "Share", "Publish wheels to a registry: a folder, or a server."),
    Command("list", "Share", "List what a registry holds, and what each stage runs.", module="listing"),
    Command("show", "Share", "Show a release: files, stages, evidence; or how to install it safely."),
    Command("bundle", "Share", "Write one archive that installs a release without a network."),
    Command("export", "Share", "Write what KServe or Ray Serve needs to serve a package."),
    Command("import", "Share", "Take a bundle into a registry.", module="importing"),
    Command("login", "Share", "Store a token for a registry."),
    Command("promote", "Release", "Make a release what a stage runs, if its gates let it in."),
    Command("approve", "Release", "Approve a release for a stage."),
    Command("rollback", "Release", "Return a stage to what it ran before."),
    Command("rollout", "Release", "Try a version on a share of the requests; withdraw it when it does worse."),
    Command("yank", "Release", "Keep installers from choosing a release by themselves."),
    Command("history", "Release", "Tell what was done with a model: by whom, when and why."),
    Command("audit", "Release", "Read, check and export the log of a registry."),
    Command("registry", "Run", "Run a registry's server, or look after one."),
    Command("demo", "Run", "Tell the whole story on real data, in a temporary folder."),
    Command("doctor", "Run", "Check this machine: interpreter, uv, index, configuration, extras, cache."),
    Command("explain", "Run", "Explain an error code, or list them all."),
)

EXITS = (
    (0, "all went well"),
    (1, "a check failed"),
    (2, "wrong usage"),
    (3, "not found"),
    (4, "refused: unsafe, altered, not allowed, or by a gate"),
    (5, "unavailable: index, disk, interpreter or extra"),
)
"""Meaning of the exit codes; which error gives which stands in :mod:`modelwright.cli.exits`."""


def front_page(version: str) -> str:
    """Return what ``modelwright --help`` prints.

    Example:
        >>> print(front_page("1.0").splitlines()[0])
        modelwright 1.0: ship machine-learning models as ordinary Python wheels.
    """
    lines = [
        f"modelwright {version}: ship machine-learning models as ordinary Python wheels.",
        "",
        "Usage: modelwright COMMAND [ARGUMENTS]      (mw is the same)",
    ]
    for group in dict.fromkeys(command.group for command in COMMANDS):
        lines += ["", f"{group}:"]
        lines += [f"  {command.name:<9}{command.summary}" for command in COMMANDS if command.group == group]
    lines += [
        "",
        "Every command takes --json (data for programs), --quiet (no messages) and --traceback (for reporting a bug).",
        "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXITS) + ".",
        "",
        "Next:",
        "  modelwright demo",
        "  modelwright COMMAND --help",
    ]
    return "\n".join(lines)
