"""Pages into a website, by Sphinx, in a process of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

from workbook import __version__
from workbook.bench.running import uncoloured
from workbook.course import course


def build_site(pages: Path, site: Path) -> list[str]:
    """Make the site anew; what Sphinx found wrong with the pages, a line each."""
    shutil.rmtree(site, ignore_errors=True)
    (pages / "conf.py").write_text(_settings(), "utf-8")
    doctrees = pages.parent / "doctrees"
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-d", doctrees, pages, site]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = uncoloured(done.stderr).splitlines()
    wrong = [line.replace(f"{pages}/", "") for line in lines if line.strip()]
    if done.returncode and not wrong:
        wrong = [f"Sphinx ended with {done.returncode}."]
    return wrong


def _settings() -> str:
    """Sphinx's conf.py."""
    about = course()
    settings = {
        "project": about.title,
        "author": about.author,
        "version": __version__,
        "language": "en",
        "extensions": ["myst_nb", "sphinx-mathjax-offline"],
        "myst_enable_extensions": ["dollarmath"],
        "nb_execution_mode": "off",
        "html_theme": "furo",
        "html_title": about.title,
        "html_static_path": ["style"],
        "html_css_files": ["book.css"],
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_show_copyright": False,
    }
    return "".join(f"{name} = {value!r}\n" for name, value in settings.items())
