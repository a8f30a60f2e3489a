"""Ellisphere: XML over POST, the log-in inside each body, business results told apart from transport status."""
