"""How the documentation is built: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generate_pages  # noqa: E402

from maestro import __version__  # noqa: E402

STATIC = HERE / "_build" / "static"
generate_pages.write(STATIC)

project = "Maestro"
author = "The Maestro developers"
copyright = "The Maestro developers"
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_design"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # generate_pages executes the notebooks: every figure is made by the build
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # no page asks a foreign host
nb_merge_streams = True
# Pages link to the README, the changelog and the benchmarks, which stand outside this folder.
suppress_warnings = ["myst.xref_missing", "mystnb.unknown_mime_type", "ref.python"]
exclude_patterns = ["_build"]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_use_ivar = True
autodoc_mock_imports = ["vectorbt"]
html_static_path = [str(STATIC), "static"]
html_css_files = ["site.css"]
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_prev_next": True, "navigation_depth": 2, "navbar_center": []}
html_context = {"default_mode": "auto"}
html_title = "Maestro"
html_favicon = "../maestro/apps/icon.svg"
html_sidebars = {"**": ["globaltoc.html"]}
html_show_sourcelink = False
