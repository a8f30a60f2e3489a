"""Dun & Bradstreet Direct+: JSON over HTTPS, client credentials, data blocks by DUNS."""
