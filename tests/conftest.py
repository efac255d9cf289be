"""For all tests: hypothesis judges what code does, not how busy the machine is that it runs on."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
