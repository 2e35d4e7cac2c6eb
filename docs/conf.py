"""Sphinx: how the pages of this folder become the site. Built by tools/docs."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from documenting.site import fill, show_examples  # noqa: E402

from otaflash import __version__  # noqa: E402

project = "otaflash"
copyright = "the otaflash authors, MIT licence"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "sphinx_design"]
exclude_patterns = ["examples/**"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["attrs_block", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 4
default_role = "code"
smartquotes = False

autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

html_theme = "furo"
html_title = "otaflash"
html_static_path = ["_static"]
html_css_files = ["otaflash.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6e4f", "color-brand-content": "#0b6e4f"},
    "dark_css_variables": {"color-brand-primary": "#5bd6a5", "color-brand-content": "#5bd6a5"},
}


def setup(app: object) -> None:
    """Fills in what pages take from the code and from other documents of the repository."""
    app.connect("source-read", fill)  # type: ignore[attr-defined]
    app.connect("autodoc-process-docstring", show_examples)  # type: ignore[attr-defined]
