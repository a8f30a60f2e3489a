"""The servers a test session works on: its own, on free ports, beside whatever else runs on the machine."""

from libs.stack.servers import Addresses, throwaway_servers

__all__ = ["Addresses", "test_servers"]

#: A context that yields the addresses of a real PostgreSQL (superuser `encours`) and a real Valkey, empty;
#: one second to start. Enter it once a session, from the main thread: the servers end with their thread.
test_servers = throwaway_servers
test_servers.__test__ = False  # type: ignore[attr-defined]  # its name, imported into a test module, is no test
