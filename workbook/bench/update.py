"""`make update`: the newest version of the course, around what a learner wrote.

This pulls the course's own files; `make notebooks`, which follows in the same command
with the new version's code, puts them into the built notebooks. Files of the course
that somebody changed, or commits of their own, are never overwritten: then a sentence
says what to do.
"""

import os
import re
import subprocess
from pathlib import Path

from workbook.course import root

SHOWN = 8  # files named in a refusal; the rest is counted


class UpdateRefused(Exception):
    """Nothing was changed; says why, and what to do."""


def main(argv: list[str]) -> int:
    """Pull, and tell what is new."""
    _refuse_without_a_course_to_follow()
    _refuse_changed_files()
    before = _git("rev-parse", "HEAD")
    print("Asking for a newer version …", flush=True)
    _fetch()
    ahead = int(_git("rev-list", "--count", "HEAD..@{upstream}"))
    if not ahead:
        print("This is the newest version.")
        return 0
    _forward()
    print(f"Updated: {ahead} change{'s' * (ahead > 1)} of the course.")
    for line in news(_git("diff", "--unified=0", before, "HEAD", "--", "CHANGELOG.md")):
        print(line)
    return 0


def news(diff: str) -> list[str]:
    """The lines that a diff of CHANGELOG.md adds."""
    return [line[1:] for line in diff.splitlines() if re.match(r"\+(?!\+\+)", line)]


def _refuse_without_a_course_to_follow() -> None:
    try:
        top = _git("rev-parse", "--show-toplevel")
    except (FileNotFoundError, subprocess.CalledProcessError):
        top = ""
    if not top or Path(top).resolve() != root().resolve():
        raise UpdateRefused(
            "This folder is no clone made by git, so there is nothing to update from. "
            "Clone the course anew, and copy exercises/*.ipynb and progress.json over."
        )
    try:
        _git("rev-parse", "--abbrev-ref", "@{upstream}")
    except subprocess.CalledProcessError:
        raise UpdateRefused(
            "The branch you are on follows no other, so there is nothing to update "
            "from. `git switch main` goes back to the course's own."
        ) from None


def _refuse_changed_files() -> None:
    """A changed file of the course would be in the way; a learner's own never is."""
    said = _git("status", "--porcelain", "--untracked-files=no").splitlines()
    if names := [line.split(maxsplit=1)[1] for line in said]:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        raise UpdateRefused(
            f"Nothing was updated, since files of the course itself were changed here: "
            f"{', '.join(names[:SHOWN])}{more}. `git stash` sets the changes aside "
            "(`git stash pop` brings them back); then `make update` again."
        )


def _fetch() -> None:
    try:
        _git("fetch", "--quiet")
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "no answer").strip().splitlines()[-1]
        raise UpdateRefused(
            f"The newer version could not be fetched ({last}). Nothing was changed: "
            "try again when there is a network."
        ) from None


def _forward() -> None:
    try:
        _git("merge", "--ff-only", "--quiet", "@{upstream}")
    except subprocess.CalledProcessError as error:
        if int(_git("rev-list", "--count", "@{upstream}..HEAD")):
            raise UpdateRefused(
                "Nothing was updated: this branch has commits of its own. `git pull "
                "--rebase` puts them on top of the new version; then `make notebooks`."
            ) from None
        why = (error.stderr or "git refused").strip().splitlines()
        raise UpdateRefused(
            f"Nothing was updated: {' '.join(why)[:300]} Move what is in the way "
            "aside; then `make update` again."
        ) from None


def _git(*words: str) -> str:
    """What git says, in English and without asking for a password."""
    quiet = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(
        ["git", *words],
        cwd=root(),
        env=os.environ | quiet,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
