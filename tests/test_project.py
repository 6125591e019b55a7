"""The files at the root agree with each other, and speak of the project alone."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import workbook

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def lines(name: str) -> list[str]:
    return (ROOT / name).read_text("utf-8").splitlines()


def names(requirements: list[str]) -> set[str]:
    """Package names, as an index spells them."""
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {re.sub(r"[-_.]+", "-", m[0]).lower() for m in found if m}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [
        ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()
    ]


def test_every_dependency_is_locked_to_one_version_on_each_platform():
    wanted = names(PROJECT["dependencies"]) | names(
        PROJECT["optional-dependencies"]["dev"]
    )
    locked = lines("requirements.lock")
    assert wanted <= names(locked)
    assert all(re.match(r"[\w.-]+==[^ ;]+( ; .+)?$", line) for line in locked if line)


def test_the_lock_brings_no_cuda():
    assert not [n for n in names(lines("requirements.lock")) if n.startswith("nvidia")]


def test_what_serves_a_benchmark_alone_is_in_no_lock():
    alone = names(PROJECT["optional-dependencies"]["bench"])
    assert alone and not alone & names(lines("requirements.lock"))


def test_each_dependency_has_its_reason_beside_it():
    text = "\n".join(lines("pyproject.toml"))
    extras = PROJECT["optional-dependencies"].values()
    for requirement in sum(extras, PROJECT["dependencies"]):
        assert re.search(rf'"{re.escape(requirement)}",\s+# \w+', text), requirement


def test_the_locked_ipykernel_has_subshells_and_loses_no_message():
    (version,) = [x for x in lines("requirements.lock") if x.startswith("ipykernel==")]
    major, minor = map(int, version.removeprefix("ipykernel==").split(".")[:2])
    assert (major, minor) >= (7, 4)


def test_environment_yml_is_python_pip_the_lock_and_the_package():
    wanted = [x.strip() for x in lines("environment.yml") if x.strip().startswith("- ")]
    assert wanted == [
        "- conda-forge",
        "- python=3.11",
        "- pip",
        "- pip:",
        "- --extra-index-url https://download.pytorch.org/whl/cpu",
        "- -r requirements.lock",
        "- -e .",
    ]


def test_the_version_is_that_of_the_newest_entry_in_the_changelog():
    newest = next(line for line in lines("CHANGELOG.md") if re.match(r"## \[?\d", line))
    assert workbook.__version__ in newest


def test_readme_names_only_commands_that_exist():
    targets = set(re.findall(r"^(\w+):", "\n".join(lines("Makefile")), re.M))
    said = set(re.findall(r"`make (\w+)", "\n".join(lines("README.md"))))
    assert said <= targets


def test_pictures_and_links_of_the_readme_lead_somewhere():
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", "\n".join(lines(page))):
            if not target.startswith("http"):
                assert (ROOT / target).exists(), f"{page}: {target}"


def test_no_notebook_and_no_downloaded_file_is_committed():
    fetched = {"names.txt", "tinyshakespeare.txt"}
    for path in tracked():
        assert path.suffix not in (".ipynb", ".tiktoken"), path
        assert path.name not in fetched, path


def test_no_file_names_a_path_of_the_machine_it_was_written_on():
    home = re.compile(r"(?<![\w.])/(work|root|home/\w+|tmp/w)/")
    for path in tracked():
        if path.suffix in (".py", ".md", ".toml", ".yml", ".txt", "") and path != Path(
            __file__
        ):
            assert not home.search(path.read_text("utf-8")), path
