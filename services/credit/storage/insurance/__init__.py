"""Statements on the tables of credit insurance."""
