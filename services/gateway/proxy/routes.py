"""Which service owns a path: whole path templates, compiled to one dictionary step per segment.

Paths are matched as the services themselves will see them, percent-decoded once; a gateway that looked at
other bytes than its services could be told one path and make them serve another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_BODY_LIMIT = 1 << 20
_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")


class RouteConflict(Exception):
    """Two operations claim one method and path; the text names both owners."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of one service.

    `body_limit` in bytes on the wire; a `public` one needs no credentials.
    """

    service: str
    method: str
    template: str
    body_limit: int = DEFAULT_BODY_LIMIT
    public: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """All operations on one path, by method; `allow` is the value of the Allow header."""

    routes: Mapping[str, Route]
    allow: str


@dataclass(slots=True)
class _Node:
    below: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    routes: dict[str, Route] = field(default_factory=dict)
    resource: Resource | None = None


class RouteTable:
    """Finds the operations on a path. Raises RouteConflict when built from operations that overlap."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)
        _settle(self._root)

    def find(self, path: str) -> Resource | None:
        """The operations on a decoded path, None for a path nobody owns.

        A literal segment goes before a parameter.
        """
        node = self._root
        for segment in path.split("/"):
            step = node.below.get(segment)
            if step is None:
                step = node.parameter
                if step is None or not segment:
                    return None
            node = step
        return node.resource

    def _add(self, route: Route) -> None:
        node = self._root
        for segment in route.template.split("/"):
            if segment.startswith("{") and segment.endswith("}"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            elif "{" in segment:
                raise ValueError(f"{route.template}: a parameter takes a whole segment")
            else:
                node = node.below.setdefault(segment, _Node())
        known = node.routes.get(route.method)
        if known is not None:
            twin = f"{known.template} of {known.service}"
            raise RouteConflict(f"{route.method} {route.template} of {route.service} is also {twin}")
        node.routes[route.method] = route


def _settle(node: _Node) -> None:
    """Give every literal branch what its parameter sibling can do, so that `find` never has to turn back."""
    if node.parameter is not None:
        for branch in node.below.values():
            _graft(branch, node.parameter)
    for branch in node.below.values():
        _settle(branch)
    if node.parameter is not None:
        _settle(node.parameter)
    if node.routes:
        routes = dict(node.routes)
        if "GET" in routes:
            routes.setdefault("HEAD", routes["GET"])
        node.resource = Resource(routes, ", ".join(sorted({*routes, "OPTIONS"})))


def _graft(branch: _Node, parameter: _Node) -> None:
    for method, route in parameter.routes.items():
        branch.routes.setdefault(method, route)
    for segment, step in parameter.below.items():
        below = branch.below.setdefault(segment, _Node())
        if branch.parameter is not None:
            # The literal before the parameter decides first: /a/{p} goes before /{p}/a for the path /a/a.
            _graft(below, branch.parameter)
        _graft(below, step)
    if parameter.parameter is not None:
        branch.parameter = branch.parameter or _Node()
        _graft(branch.parameter, parameter.parameter)


def routes_of(service: str, openapi: Mapping[str, Any]) -> list[Route]:
    """The operations of a service's OpenAPI document.

    `x-body-limit` on an operation is its body limit in bytes; `security: []` makes it public. `/internal/*`
    is never routed, whatever a document says. Raises ValueError for a limit that is not a positive integer.
    """
    routes = []
    for template, operations in openapi.get("paths", {}).items():
        if template.startswith("/internal"):
            continue
        for method in _METHODS:
            operation = operations.get(method.lower())
            if operation is None:
                continue
            limit = operation.get("x-body-limit", DEFAULT_BODY_LIMIT)
            if type(limit) is not int or limit <= 0:  # True is an int too
                raise ValueError(f"{service}: {method} {template}: x-body-limit is a number of bytes")
            security = operation.get("security", openapi.get("security"))
            routes.append(Route(service, method, template, limit, public=security == []))
    return routes
