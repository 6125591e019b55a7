"""`make update`: a new version arrives, and a half-done course stays whole."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

from tests.bench.conftest import COURSE, RIGHT, SOLUTIONS, SmallCourse
from workbook.bench.strip import exercise_text
from workbook.bench.update import UpdateRefused, main, news
from workbook.course import lesson

CHANGES = "# Changelog\n\n## 0.1.0\n\nThe first version.\n"
NEWER = CHANGES.replace("## 0.1.0", "## 0.2.0\n\n- Slopes are told anew.\n\n## 0.1.0")
SPLIT = "# %% [markdown]\n# ## gradient_by_hand\n"
ADDED = '''\
# %% [markdown]
# ## value
#
# A number that remembers.

# %% exercise="micrograd.value" minutes=5 difficulty=1
def value(x):
    """The number itself."""
    # TODO: give it back
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION

# %%
check("micrograd.value", value)

'''


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=N", "-c", "user.email=n@example.org"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def committed(folder: Path, words: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", words)


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallCourse:
    """The course as its authors have it, under git."""
    monkeypatch.delenv("WORKBOOK_PROGRESS", raising=False)
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path / "published"))
    made = SmallCourse(tmp_path / "published")
    made.make()
    made.write("CHANGELOG.md", CHANGES)
    ignored = "*.ipynb\nexercises/.kept/\nprogress.json\nbuild/\n__pycache__/\n"
    made.write(".gitignore", ignored)
    git(made.root, "init", "-q", "-b", "main")
    committed(made.root, "The first version")
    return made


@pytest.fixture
def learner(
    publisher: SmallCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SmallCourse:
    """A clone of it, whose first exercise is answered, and a cell of their own."""
    folder = tmp_path / "mine"
    git(tmp_path, "clone", "-q", str(publisher.root), str(folder))
    monkeypatch.setenv("WORKBOOK_ROOT", str(folder))
    mine = SmallCourse.__new__(SmallCourse)
    mine.root = folder
    derivative = {k: v for k, v in RIGHT.items() if k == "micrograd.derivative"}
    book = mine.answer(derivative)
    book.cells.append(nbformat.v4.new_code_cell("# my own notes\nderivative(abs, 3)"))
    mine.save(book)
    return mine


def published(publisher: SmallCourse, solutions: str, course: str = COURSE) -> None:
    """A second version, with other exercises."""
    publisher.write("course.toml", course)
    publisher.write("solutions/01_micrograd.py", solutions)
    os.environ["WORKBOOK_ROOT"], mine = str(publisher.root), os.environ["WORKBOOK_ROOT"]
    try:
        publisher.write("exercises/01_micrograd.py", exercise_text(lesson(1)))
    finally:
        os.environ["WORKBOOK_ROOT"] = mine
    publisher.write("CHANGELOG.md", NEWER)
    committed(publisher.root, "The second version")


def reworded() -> str:
    return SOLUTIONS.replace("The slope of $f$ at $x$.", "How steep $f$ is at $x$.")


def updated(learner: SmallCourse) -> tuple[str, list[str]]:
    """What both halves of `make update` say, and the cells of the notebook then."""
    code, said = learner.command("update")
    assert code == 0, said
    code, more = learner.command("notebooks")
    assert code == 0, more
    book = nbformat.read(learner.root / "exercises" / "01_micrograd.ipynb", 4)
    return said + more, [cell.source for cell in book.cells]


def kept_whole(learner: SmallCourse, cells: list[str]) -> bool:
    copies = list((learner.root / "exercises" / ".kept").glob("*.ipynb"))
    return (
        RIGHT["micrograd.derivative"] in cells
        and "# my own notes\nderivative(abs, 3)" in cells
        and len(copies) == 1
        and RIGHT["micrograd.derivative"].splitlines()[0]
        in copies[0].read_text("utf-8")
    )


def test_a_reworded_exercise_keeps_its_answer_and_the_news_are_told(publisher, learner):
    published(publisher, reworded())
    said, cells = updated(learner)
    assert "Updated: 1 change of the course." in said
    assert "- Slopes are told anew." in said and "The first version" not in said
    assert "updated exercises/01_micrograd.ipynb" in said
    assert any("How steep" in cell for cell in cells)
    assert kept_whole(learner, cells)


def test_an_added_exercise_appears_in_its_place(publisher, learner):
    text = SOLUTIONS.replace(SPLIT, ADDED + SPLIT)
    course = COURSE.replace(
        'derivative", "micro', 'derivative", "micrograd.value", "micro'
    )
    published(publisher, text, course)
    said, cells = updated(learner)
    places = [i for i, c in enumerate(cells) if c.startswith("def ")]
    names = [cells[i].split("(")[0] for i in places]
    assert names == ["def derivative", "def value", "def gradient"]
    assert "micrograd.value" in said
    assert kept_whole(learner, cells)


def test_a_removed_exercise_leaves_its_answer_behind(publisher, learner):
    start, end = (
        SOLUTIONS.index("# %% [markdown]\n# ## derivative"),
        SOLUTIONS.index(SPLIT),
    )
    course = COURSE.replace('"micrograd.derivative", ', "")
    published(publisher, SOLUTIONS[:start] + SOLUTIONS[end:], course)
    said, cells = updated(learner)
    assert "micrograd.derivative" in said
    assert kept_whole(learner, cells)


def test_a_renamed_exercise_takes_its_answer_along(publisher, learner):
    text = SOLUTIONS.replace("micrograd.derivative", "micrograd.value").replace(
        'exercise="micrograd.value"',
        'exercise="micrograd.value" was=["micrograd.derivative"]',
    )
    published(
        publisher, text, COURSE.replace("micrograd.derivative", "micrograd.value")
    )
    _, cells = updated(learner)
    assert cells.count(RIGHT["micrograd.derivative"]) == 1
    at = cells.index(RIGHT["micrograd.derivative"])
    assert cells[at + 1] == 'check("micrograd.value", derivative)'
    assert kept_whole(learner, cells)


def test_reordered_exercises_take_their_answers_along(publisher, learner):
    start, end = (
        SOLUTIONS.index("# %% [markdown]\n# ## derivative"),
        SOLUTIONS.index(SPLIT),
    )
    text = SOLUTIONS[:start] + SOLUTIONS[end:] + "\n" + SOLUTIONS[start:end]
    published(publisher, text)
    said, cells = updated(learner)
    assert "in the order of the course again" in said
    at = cells.index(RIGHT["micrograd.derivative"])
    assert cells[at + 1] == 'check("micrograd.derivative", derivative)'
    assert any("def gradient" in cell for cell in cells[:at])
    assert kept_whole(learner, cells)


def test_without_anything_new_nothing_is_touched(learner, capsys):
    path = learner.root / "exercises" / "01_micrograd.ipynb"
    before = path.read_bytes()
    assert main([]) == 0
    assert "This is the newest version." in capsys.readouterr().out
    assert path.read_bytes() == before


# ---------------------------------------------------------------- refusals


def test_a_changed_file_of_the_course_is_named_and_nothing_is_pulled(
    publisher, learner
):
    published(publisher, reworded())
    mine = learner.root / "notebooks" / "01_micrograd.py"
    mine.write_text(mine.read_text("utf-8") + "\n# a note of mine\n", "utf-8")
    with pytest.raises(UpdateRefused, match=r"notebooks/01_micrograd\.py.*git stash"):
        main([])
    assert "a note of mine" in mine.read_text("utf-8")
    assert "How steep" not in (learner.root / "solutions/01_micrograd.py").read_text()


def test_commits_of_ones_own_are_never_overwritten(publisher, learner):
    published(publisher, reworded())
    learner.write("mine.txt", "mine")
    committed(learner.root, "My own")
    with pytest.raises(UpdateRefused, match=r"commits of its own.*git pull --rebase"):
        main([])
    assert (learner.root / "mine.txt").exists()


def test_a_file_in_the_way_is_named(publisher, learner):
    publisher.write("notes.txt", "theirs")
    published(publisher, reworded())
    learner.write("notes.txt", "mine")
    with pytest.raises(UpdateRefused, match=r"notes\.txt.*Move what is in the way"):
        main([])
    assert (learner.root / "notes.txt").read_text("utf-8") == "mine"


def test_without_a_network_nothing_is_changed(publisher, learner):
    shutil.rmtree(publisher.root)
    with pytest.raises(UpdateRefused, match=r"could not be fetched.*a network"):
        main([])


def test_a_folder_without_git_says_what_to_do(small):
    with pytest.raises(UpdateRefused, match="no clone made by git"):
        main([])


def test_a_branch_of_ones_own_says_what_to_do(learner):
    git(learner.root, "switch", "-qc", "mine")
    with pytest.raises(UpdateRefused, match=r"follows no other.*git switch main"):
        main([])


def test_a_refusal_is_one_sentence_and_exit_code_one(learner):
    git(learner.root, "switch", "-qc", "mine")
    code, said = learner.command("update")
    assert code == 1 and "Traceback" not in said and len(said.splitlines()) == 1


def test_only_added_lines_of_the_changelog_are_news():
    diff = "--- a/C.md\n+++ b/C.md\n@@ -2,0 +3,2 @@\n+## 0.2.0\n+\n-gone\n"
    assert news(diff) == ["## 0.2.0", ""]
