"""The rules of dunning: facts in, decisions out. No input or output, no clock, no database.

Planning a million items is set-based SQL; these functions say what that SQL must answer and are what it is
tested against.
"""
