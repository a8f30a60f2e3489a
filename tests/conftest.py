"""Loads the plugin, so that plain `pytest` works as `make test` does."""

from hypothesis import settings

pytest_plugins = ["libs.testkit.plugin"]

# How long an example takes on a busy machine says nothing about the rule it tries.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
