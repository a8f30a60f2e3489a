"""Alembic's entry point; the work is the kit's."""

from libs.kit.migrations import run_environment

run_environment()
