"""Machinery without business words."""
