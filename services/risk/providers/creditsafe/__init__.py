"""Creditsafe Connect: JSON over HTTPS, a token for an hour (creditsafe/connect-docs, v1)."""
