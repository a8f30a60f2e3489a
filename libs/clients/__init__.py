"""Typed clients of the services, each with its fake beside it."""
