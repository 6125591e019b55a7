"""JupyterLab as `make lab` starts it: the course's folder, this machine only, quiet.

Read beside the user's own configuration, since `make lab` puts this folder first on
JUPYTER_CONFIG_PATH; what is typed on the command line still wins.
"""

import logging
import os

import zmq

c = get_config()  # noqa: F821  (Jupyter gives it to this file)

# --- Where, and for whom: Jupyter makes and asks for its token as ever -----------
c.ServerApp.root_dir = os.getcwd()  # `make lab` stands in the course's folder
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.default_url = c.LabApp.default_url = "/lab/tree/start.ipynb"
c.ServerApp.allow_root = getattr(os, "geteuid", lambda: -1)() == 0  # in a container

# --- What the terminal says: the address, and what goes wrong ----------------------
c.Application.log_level = c.ServerApp.log_level = c.LabApp.log_level = 30
c.Application.log_format = "%(message)s"
c.ServerApp.answer_yes = True  # Ctrl-C ends it without a question
logging.getLogger("tornado.general").addFilter(  # of defaults that contradict
    lambda record: "websocket_ping" not in record.getMessage()  # each other
)
if zmq.has("curve"):  # a kernel without it warns on each start
    c.KernelManager.transport_encryption = "auto"

# --- Which Python runs a notebook: this one, whatever else is installed ------------
c.KernelSpecManager.ensure_native_kernel = True
c.MultiKernelManager.default_kernel_name = "python3"
c.ServerApp.jpserver_extensions = {"jupyterlab_jupytext": False}  # text is for authors

# --- What the file browser shows: start, notebooks, exercises, data, code, README --
# Names, not paths: `*.py` would hide the modules in code/ as well.
JUPYTERS_OWN = [
    "__pycache__", "*.pyc", "*.pyo", ".DS_Store", "*~", "*.so", "*.dylib",
]  # fmt: skip
FOLDERS = ["solutions", "workbook", "expected", "tests", "benchmarks", "docs", "build"]
SOURCES = ["start.py", "[0-9][0-9]_*.py", "__init__.py"]
PROJECT = [
    "Makefile", "LICENSE", "postBuild", "*.toml", "*.lock", "*.yml", "*.yaml", "*.cfg",
    "CHANGELOG.md", "CONTRIBUTING.md", "STYLE.md", "RESULTS.md",
    "RESULTS.partial.json", "progress.json*", "*.refused*", "*.part",
]  # fmt: skip
c.ContentsManager.hide_globs = JUPYTERS_OWN + FOLDERS + SOURCES + PROJECT

del logging, os, zmq
