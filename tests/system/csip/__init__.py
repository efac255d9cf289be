"""A utility server for tests that speaks IEEE 2030.5 with mutual certificates, and what a site does with it."""
