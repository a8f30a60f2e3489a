"""Altares Intuiz (IWS): SOAP 1.1, version in the path, the log-in inside each body."""
