"""Commit and tag a release, with the git of this machine.

Called by :mod:`~modelwright.project.releasing.bump`. What would make a commit or a tag fail or lie is looked for before
any file changes. It does not push.
Source: git-commit(1) (``--only``), git-tag(1), git-var(1), gitrepository-layout(5).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from modelwright.errors import GitError, Problem

_BUSY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
}


class Repository(NamedTuple):
    """A git repository that is ready for a commit.

    Attributes:
        program: Path of git.
        folder: Folder in it that commands run in.
    """

    program: str
    folder: Path

    def run(self, *arguments: str) -> str:
        """Run git and return what it prints.

        Raises:
            GitError: It refuses; its own words are the reason.
        """
        done = self._call(*arguments)
        if done.returncode != 0:
            raise GitError(
                f"git {arguments[0]} failed.",
                where=str(self.folder),
                why=(done.stderr or done.stdout).strip(),
                hint=f"Nothing was changed. Try it by hand: git {arguments[0]}",
            )
        return done.stdout.strip()

    def succeeds(self, *arguments: str) -> bool:
        """Say whether git answers with exit code 0."""
        return self._call(*arguments).returncode == 0

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self.program, "-C", str(self.folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def open_repository(folder: Path) -> Repository:
    """Return the repository that a folder is in, ready for a commit.

    Raises:
        GitError: git is missing, the folder is in no repository, git does not know who commits, or something else is
            staged or half done.
    """
    program = shutil.which("git")
    if program is None:
        raise GitError("git is not installed.", where="PATH", hint="Install git, or bump without --commit and --tag.")
    repository = Repository(program, folder)
    if not repository.succeeds("rev-parse", "--is-inside-work-tree"):
        raise GitError("The project is in no git repository.", where=str(folder), hint="git init")
    for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if not repository.succeeds("var", who):
            raise GitError(
                "git does not know who commits.",
                where=str(folder),
                hint='git config user.name "Your Name" && git config user.email you@example.org',
            )
    _check_idle(repository)
    return repository


def check_tag(repository: Repository, tag: str) -> None:
    """Check that a tag is free.

    Raises:
        GitError: It exists already.
    """
    if tag and repository.succeeds("rev-parse", "--quiet", "--verify", f"refs/tags/{tag}"):
        raise GitError(f"The tag {tag} exists already.", where=str(repository.folder), hint=f"git show {tag}")


def _check_idle(repository: Repository) -> None:
    for name, what in _BUSY.items():
        if (repository.folder / repository.run("rev-parse", "--git-path", name)).exists():
            raise GitError(f"{what.capitalize()} is not finished.", where=str(repository.folder), hint="git status")
    staged = repository.run("diff", "--cached", "--name-only")
    if staged:
        raise GitError(
            "Other changes are staged.",
            where=str(repository.folder),
            problems=[Problem(None, None, "is staged", item=name) for name in staged.splitlines()],
            hint="Commit them, or take them out: git restore --staged .",
        )


def check_committed(repository: Repository, files: Sequence[Path]) -> None:
    """Check that code which belongs to a release is committed: a tag without it would not give the same wheel.

    Raises:
        GitError: One of the files has changes that are not committed.
    """
    changed = repository.run("status", "--porcelain", "--", *map(str, files)) if files else ""
    if changed:
        raise GitError(
            "Code of the model is not committed.",
            where=str(repository.folder),
            problems=[Problem(None, None, "is not committed", item=line[2:].strip()) for line in changed.splitlines()],
            hint="Commit it first; bump commits only what it edits and the model folder.",
        )


def record(repository: Repository, paths: Sequence[Path], *, message: str, tag: str = "") -> str:
    """Commit paths and nothing else, and tag the commit; what git ignores is left out.

    Args:
        repository: Where.
        paths: Files and folders.
        message: Message of the commit and of the tag.
        tag: Name of an annotated tag; empty: none.

    Returns:
        The hash of the commit; the present one if there was nothing to commit.

    Raises:
        GitError: git or a hook refuses; branch and index are as they were.
    """
    listed = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *map(str, paths))
    wanted = sorted(set(filter(None, repository.run(*listed).split("\0"))))
    with restoring(repository):
        if wanted and repository.run("status", "--porcelain", "--", *wanted):
            repository.run("add", "--", *wanted)
            repository.run("commit", "--quiet", "--message", message, "--", *wanted)
        if tag:
            repository.run("tag", "--annotate", "--message", message, tag)
        return repository.run("rev-parse", "HEAD")


@contextmanager
def restoring(repository: Repository) -> Iterator[None]:
    """Put branch and index back as they were if the block fails, for example because a hook refuses."""
    head = repository.run("rev-parse", "HEAD")
    index = repository.folder / repository.run("rev-parse", "--git-path", "index")
    before = index.read_bytes() if index.is_file() else None
    try:
        yield
    except BaseException:
        repository.succeeds("update-ref", "HEAD", head)
        if before is None:
            index.unlink(missing_ok=True)
        else:
            index.write_bytes(before)
        raise
