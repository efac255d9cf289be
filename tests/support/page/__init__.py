"""Pages: the markup of reports, and the page of the plant in a real browser, with a virtual plant behind it."""
