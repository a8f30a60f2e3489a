"""An insurer reached through its broker, by mail or its own portal: a person asks, and types or imports the answer."""
