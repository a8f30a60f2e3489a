"""Scores & Decisions: a profile of the declarative adapter. Its wire format is not public; see `profile`."""
