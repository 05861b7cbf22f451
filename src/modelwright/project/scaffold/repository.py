"""Put a new project under git, when that is asked for: one commit with everything that was created.

Called by ``modelwright new --git``. Nothing else of a project's history is ever touched.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from modelwright.errors import GitError


def find_git() -> str:
    """Return the path of git.

    Raises:
        GitError: It is not installed.
    """
    program = shutil.which("git")
    if program is None:
        raise GitError("git is not installed.", hint="Install it, or leave --git out: everything else works without.")
    return program


def first_commit(project: Path) -> str:
    """Make a repository of a project and commit its files; return the abbreviated commit.

    Raises:
        GitError: git is missing or refuses; the project stays as it is.
    """
    git = find_git()
    _run(git, project, "init", "--quiet", "--initial-branch=main")
    _run(git, project, "add", "--all")
    _run(git, project, "commit", "--quiet", "--message", "Start the model project")
    return _run(git, project, "rev-parse", "--short", "HEAD")


def _run(git: str, project: Path, *arguments: str) -> str:
    done = subprocess.run([git, *arguments], cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GitError(
            f"git {arguments[0]} failed; the project is complete, and not committed.",
            where=str(project),
            why=done.stderr.strip()[-500:],
            hint="Set user.name and user.email if they are missing, then run the command yourself.",
        )
    return done.stdout.strip()
