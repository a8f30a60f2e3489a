"""Loads the plugin, so that plain `pytest` works as `make test` does."""

pytest_plugins = ["libs.testkit.plugin"]
