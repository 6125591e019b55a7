"""Pages into a website, by Sphinx."""

import io
import re
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from workbook import __version__
from workbook.course import course

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def build_site(pages: Path, site: Path) -> list[str]:
    """Make the site anew; what Sphinx found wrong with the pages."""
    from sphinx.application import Sphinx

    shutil.rmtree(site, ignore_errors=True)
    warned = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(warned):
        app = Sphinx(
            srcdir=pages,
            confdir=None,
            outdir=site,
            doctreedir=pages.parent / "doctrees",
            buildername="html",
            confoverrides=_settings(),
            status=None,
            warning=warned,
            freshenv=True,
        )
        app.build()
    lines = _COLOUR.sub("", warned.getvalue()).splitlines()
    return [line.replace(f"{pages}/", "") for line in lines if line.strip()]


def _settings() -> dict[str, Any]:
    """All that a conf.py would say."""
    about = course()
    return {
        "project": about.title,
        "author": about.author,
        "version": __version__,
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
        "language": "en",
    }
