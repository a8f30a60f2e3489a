"""Any provider that speaks JSON or XML over HTTP, connected by configuration alone."""
