import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.proxy.routes import Route, RouteConflict, RouteTable, routes_of

TABLE = RouteTable(
    [
        Route("ledger", "GET", "/v1/customers"),
        Route("ledger", "POST", "/v1/customers"),
        Route("ledger", "GET", "/v1/customers/{id}"),
        Route("ledger", "PATCH", "/v1/customers/{id}"),
        Route("gateway", "GET", "/v1/customers/{id}/overview"),
        Route("risk", "POST", "/v1/customers/search"),
        Route("risk", "GET", "/v1/customers/search/{id}/hits"),
        Route("gateway", "GET", "/openapi.json", public=True),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "owner"),
    [
        ("GET", "/v1/customers", "ledger"),
        ("GET", "/v1/customers/7", "ledger"),
        ("HEAD", "/v1/customers/7", "ledger"),
        ("PATCH", "/v1/customers/7", "ledger"),
        ("GET", "/v1/customers/7/overview", "gateway"),
        ("POST", "/v1/customers/search", "risk"),
        ("GET", "/v1/customers/search", "ledger"),  # a customer called "search": only POST is the search
        ("GET", "/v1/customers/search/overview", "gateway"),
        ("GET", "/v1/customers/search/7/hits", "risk"),
        ("GET", "/openapi.json", "gateway"),
    ],
)
def test_path_belongs_to_the_service_that_declared_it(method: str, path: str, owner: str) -> None:
    resource = TABLE.find(path)
    assert resource is not None
    assert resource.routes[method].service == owner


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1",
        "/v1/customers/",
        "/v1//customers",
        "//v1/customers",
        "/v1/customers//overview",
        "/v1/customers/7/overview/",
        "/v1/customers/7/8/overview",
        "v1/customers",
        "/V1/customers",
        "/v1/customers/{id}/",
    ],
)
def test_path_nobody_declared_is_nobodys(path: str) -> None:
    assert TABLE.find(path) is None


def test_allow_names_all_methods_on_a_path_whoever_owns_them() -> None:
    search = TABLE.find("/v1/customers/search")
    assert search is not None
    assert search.allow == "GET, HEAD, OPTIONS, PATCH, POST"


@pytest.mark.parametrize("twin", ["/v1/customers/{id}", "/v1/customers/{customer_id}"])
def test_two_owners_of_one_method_and_path_fail_the_build(twin: str) -> None:
    with pytest.raises(RouteConflict, match=r"risk.*ledger"):
        RouteTable([Route("ledger", "GET", "/v1/customers/{id}"), Route("risk", "GET", twin)])


def test_same_path_with_other_methods_may_have_other_owners() -> None:
    table = RouteTable([Route("ledger", "GET", "/v1/x"), Route("risk", "POST", "/v1/x")])
    resource = table.find("/v1/x")
    assert resource is not None
    assert {method: route.service for method, route in resource.routes.items()} == {
        "GET": "ledger",
        "HEAD": "ledger",
        "POST": "risk",
    }


def test_parameter_inside_a_segment_is_refused() -> None:
    with pytest.raises(ValueError, match="whole segment"):
        RouteTable([Route("ledger", "GET", "/v1/items/{id}.pdf")])


_SEGMENT = st.sampled_from(["a", "b", "{p}"])
_TEMPLATE = st.lists(_SEGMENT, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
_PATH = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4)


@given(st.lists(_TEMPLATE, unique=True, max_size=12), _PATH)
def test_find_agrees_with_trying_every_template(templates: list[str], path: list[str]) -> None:
    """The most literal template wins, compared segment by segment from the left."""
    table = RouteTable([Route("s", "GET", template) for template in templates])

    def fits(template: str) -> bool:
        parts = template[1:].split("/")
        return len(parts) == len(path) and all(
            part in ("{p}", segment) for part, segment in zip(parts, path, strict=True)
        )

    fitting = sorted(filter(fits, templates), key=lambda t: [part == "{p}" for part in t[1:].split("/")])
    found = table.find("/" + "/".join(path))
    assert (found.routes["GET"].template if found else None) == (fitting[0] if fitting else None)


def test_the_literal_that_comes_first_decides_over_a_later_one() -> None:
    """Found by the property above: a branch taken over from a parameter once went before the branch's own parameter."""
    table = RouteTable([Route("s", "GET", "/a/a/{p}/a"), Route("s", "GET", "/a/a/a/{p}")])
    found = table.find("/a/a/a/a")
    assert found is not None
    assert found.routes["GET"].template == "/a/a/a/{p}"


def test_openapi_document_gives_routes_with_limits_and_publicity() -> None:
    document = {
        "security": [{"bearer": []}],
        "paths": {
            "/v1/items": {
                "parameters": [],
                "get": {},
                "post": {"x-body-limit": 2048},
            },
            "/v1/webhooks/{id}": {"post": {"security": []}},
            "/internal/feed": {"get": {}},
        },
    }
    assert routes_of("ledger", document) == [
        Route("ledger", "GET", "/v1/items", 1 << 20, public=False),
        Route("ledger", "POST", "/v1/items", 2048, public=False),
        Route("ledger", "POST", "/v1/webhooks/{id}", 1 << 20, public=True),
    ]


def test_document_without_security_makes_nothing_public() -> None:
    (route,) = routes_of("ledger", {"paths": {"/v1/items": {"get": {}}}})
    assert not route.public


@pytest.mark.parametrize("limit", [0, -1, "1MB", 1.5, True])
def test_senseless_body_limit_fails_the_build(limit: object) -> None:
    with pytest.raises(ValueError, match="x-body-limit"):
        routes_of("ledger", {"paths": {"/v1/items": {"post": {"x-body-limit": limit}}}})


def test_thousand_routes_take_no_longer_to_find_than_two() -> None:
    """One step per segment, counted: every dictionary on the way holds the segment directly."""
    names = ["".join(pair) for pair in itertools.product("abcdefghij", repeat=3)]
    table = RouteTable([Route("s", "GET", f"/v1/{name}/{{id}}") for name in names])
    assert all(
        (found := table.find(f"/v1/{name}/7")) and name in found.routes["GET"].template for name in names
    )
