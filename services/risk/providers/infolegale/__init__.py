"""Infolegale: XML over GET, the token in the query, errors inside HTTP 200."""
