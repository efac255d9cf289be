"""What Sphinx is told. Nothing is loaded from elsewhere: the site can be read without internet."""

from __future__ import annotations

from orchestrator import __version__

project = "Orchestrator"
author = "the maintainers of the orchestrator"
version = release = __version__
extensions = ["myst_parser"]
root_doc = "docs/index"
source_suffix = {".md": "markdown"}
myst_heading_anchors = 6
myst_links_external_new_tab = False
# Levels that a page leaves out are no mistake of the page.
suppress_warnings = ["myst.header"]
html_theme = "furo"
html_title = f"Orchestrator {__version__}"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
pygments_style = "default"
