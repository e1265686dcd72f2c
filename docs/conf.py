"""How the documentation is built: `make docs`."""

from __future__ import annotations

from maestro import __version__

project = "Maestro"
author = "The Maestro developers"
copyright = "The Maestro developers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_design"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# Pages link to the README, the changelog and the benchmarks, which stand outside this folder.
suppress_warnings = ["myst.xref_missing"]
exclude_patterns = ["_build"]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_use_ivar = True
autodoc_mock_imports = ["vectorbt"]
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_prev_next": False, "navigation_depth": 2}
html_title = "Maestro"
html_sidebars = {"**": []}
html_show_sourcelink = False
