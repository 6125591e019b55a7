"""`make lab`: data, notebooks, today's state, then JupyterLab on the front page.

Lab runs in this process, in the course's folder, with the configuration in jupyter/
before the user's own. What else is typed goes to Lab: `--no-browser --port=8899`.
"""

import os
import sys
from pathlib import Path

from workbook.course import root

CONFIG = Path(__file__).parent / "jupyter"


def main(argv: list[str]) -> int:
    """Prepare the course and serve it until Ctrl-C."""
    prepare()
    return serve(argv)


def prepare() -> None:
    """Everything that Lab will show; what cannot be had is said and left out."""
    from workbook import data
    from workbook.bench.build import build_all
    from workbook.bench.greeting import greet

    for sentence in data.fetch_all():
        print(sentence)
    build_all()
    greet(root() / "start.ipynb")


def serve(argv: list[str]) -> int:
    """Run JupyterLab in this process; its exit code, 0 after Ctrl-C."""
    for address in already_open():
        print(f"The course is open already at {address}: this is a second JupyterLab.")
    os.environ.update(environment(os.environ))
    os.chdir(root())
    print("JupyterLab starts. Leave this window open; Ctrl-C in it ends JupyterLab.")
    from jupyterlab.labapp import LabApp

    try:
        LabApp.launch_instance(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except KeyboardInterrupt:
        pass
    return 0


def environment(now: dict[str, str]) -> dict[str, str]:
    """What Lab and its kernels need: our configuration and our Python first.

    JUPYTER_PATH names this environment's kernels, so that a `python3` that the user
    has installed for other work is not taken in its place.
    """
    return {
        "JUPYTER_CONFIG_PATH": _before(CONFIG, now.get("JUPYTER_CONFIG_PATH")),
        "JUPYTER_PATH": _before(
            Path(sys.prefix) / "share" / "jupyter", now.get("JUPYTER_PATH")
        ),
        "JUPYTERLAB_WORKSPACES_DIR": now.get("JUPYTERLAB_WORKSPACES_DIR")
        or str(root() / "build" / "lab"),  # tabs of other projects stay out
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # or each kernel warns of itself
    }


def _before(first: Path, others: str | None) -> str:
    """A search path that begins with `first`, each folder once."""
    kept = [one for one in (others or "").split(os.pathsep) if one]
    return os.pathsep.join(dict.fromkeys([str(first), *kept]))


def already_open() -> list[str]:
    """Addresses, with their tokens, of JupyterLabs that serve this folder now."""
    from jupyter_server.serverapp import list_running_servers

    return [
        f"{server['url']}lab?token={server['token']}"
        for server in list_running_servers()
        if Path(server.get("root_dir", "")).resolve() == root().resolve()
    ]
