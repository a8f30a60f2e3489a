"""`/v1/operations/{id}` is served by every service: the id's prefix says by which."""

from typing_extensions import override

from services.gateway.proxy.routes import Resource, Route, RouteTable

_PREFIX = "/v1/operations/"
_TEMPLATE = "/v1/operations/{operation_id}"
_OWNERS = ("gateway", "ledger", "risk", "credit", "dunning")


class OperationsByPrefix(RouteTable):
    """A route table that finds the owner of an operation by its id, and everything else by its path."""

    def __init__(self, table: RouteTable) -> None:
        super().__init__(())
        self._table = table
        self._resources = {owner: _resource(owner) for owner in _OWNERS}

    @override
    def find(self, path: str) -> Resource | None:
        """The operations on a decoded path."""
        if path.startswith(_PREFIX):
            return self._resources.get(path[len(_PREFIX) :].partition(".")[0])
        return self._table.find(path)


def _resource(owner: str) -> Resource:
    route = Route(owner, "GET", _TEMPLATE)
    return Resource({"GET": route, "HEAD": route}, "GET, HEAD, OPTIONS")
