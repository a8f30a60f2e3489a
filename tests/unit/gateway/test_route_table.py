"""The gateway's table of the whole house, from the committed documents."""

import json
from pathlib import Path
from typing import Any

import pytest

from libs.kit.app import build_app
from services.gateway.app import route_table
from services.gateway.proxy.routes import RouteConflict
from services.gateway.service import SERVICE


def _write(directory: Path, service: str, *paths: str) -> None:
    operation: dict[str, Any] = {"get": {"responses": {}}}
    document = {"paths": dict.fromkeys(paths, operation)}
    (directory / f"{service}.json").write_text(json.dumps(document))


def test_a_service_without_a_document_has_no_operations_and_the_others_do(tmp_path: Path) -> None:
    _write(tmp_path, "ledger", "/v1/items", "/v1/operations/{operation_id}")
    table = route_table(build_app(SERVICE), tmp_path)
    items, own = table.find("/v1/items"), table.find("/v1/me")
    assert items is not None and items.routes["GET"].service == "ledger"
    assert own is not None and own.routes["GET"].service == "gateway"
    assert table.find("/v1/credit-limits") is None


@pytest.mark.parametrize("path", ["/v1/items", "/v1/me", "/v1/api-keys/{id}"])
def test_two_owners_of_a_path_stop_the_gateway_from_starting(tmp_path: Path, path: str) -> None:
    _write(tmp_path, "ledger", "/v1/items")
    _write(tmp_path, "risk", path)
    with pytest.raises(RouteConflict, match="risk"):
        route_table(build_app(SERVICE), tmp_path)


def test_tokens_are_had_without_credentials_and_everything_else_of_the_gateway_needs_them(
    tmp_path: Path,
) -> None:
    table = route_table(build_app(SERVICE), tmp_path)
    token = table.find("/v1/auth/token")
    assert token is not None and token.routes["POST"].public
    for path in (
        "/v1/me",
        "/v1/events",
        "/v1/audit-log",
        "/v1/files",
        "/v1/reference",
        "/v1/sandbox/tenants",
    ):
        resource = table.find(path)
        assert resource is not None and not any(route.public for route in resource.routes.values()), path
