"""The pytest plugin: servers once a session, stacks started when first asked for, a tenant a test, checked answers.

`service_client("ledger", …)` tests one service alone, its peers stood in for; `tenant` (and `make_tenant`) is a sandbox
tenant of the whole house, reached through the gateway.
"""

import itertools
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
import structlog
from sqlalchemy import MetaData

from libs.kit.openapi import build
from libs.kit.openapi.files import generate, write
from libs.kit.service import Service
from libs.kit.settings import SERVICES, ServiceName
from libs.stack.keys import make_key_pairs
from libs.testkit import features
from libs.testkit.clients import ServiceClient, fresh_client
from libs.testkit.contract import Contract
from libs.testkit.databases import Databases
from libs.testkit.servers import Addresses, test_servers
from libs.testkit.stack import BOOTSTRAP_KEY, Stack
from libs.testkit.tenant import TestTenant
from libs.testkit.toys import TABLES, consumer, producer

_REDIS_DATABASES = 16
_DESELECTED = pytest.StashKey[int]()
_BROWSERLESS = pytest.StashKey[int]()
#: Where a machine keeps its Chromium; ENCOURS_CHROMIUM goes before.
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

MakeStack = Callable[..., Awaitable[Stack]]
MakeClient = Callable[..., Awaitable[ServiceClient]]
MakeTenant = Callable[..., Awaitable[TestTenant]]


def pytest_configure(config: pytest.Config) -> None:
    """arq 0.28 closes its connection by a name that redis 5.3 has renamed."""
    config.addinivalue_line("markers", "browser: drives a real Chromium; deselected where there is none")
    config.addinivalue_line("filterwarnings", "ignore:Call to deprecated close:DeprecationWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests of the real inputs where those are absent; refuse feature ids nobody knows."""
    known = features.read_ids(config.rootpath)
    for item in items:
        for marker in item.iter_markers("feature"):
            unknown = [identifier for identifier in marker.args if identifier not in known]
            if unknown:
                raise pytest.UsageError(f"{item.nodeid}: no such feature: {', '.join(map(str, unknown))}")
    if chromium() is None:
        config.stash[_BROWSERLESS] = _deselect(config, items, "browser")
    if data_directory(config.rootpath).is_dir():
        return
    config.stash[_DESELECTED] = _deselect(config, items, "data")


def _deselect(config: pytest.Config, items: list[pytest.Item], marker: str) -> int:
    """Leave out the tests with a marker; how many there were."""
    absent = [item for item in items if item.get_closest_marker(marker)]
    if absent:
        items[:] = [item for item in items if item not in set(absent)]
        config.hook.pytest_deselected(items=absent)
    return len(absent)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was not run, and why."""
    count = config.stash.get(_DESELECTED, 0)
    if count:
        where = data_directory(config.rootpath)
        terminalreporter.write_line(
            f"{count} tests of real inputs deselected: ENCOURS_DATA ({where}) is not there"
        )

    browserless = config.stash.get(_BROWSERLESS, 0)
    if browserless:
        terminalreporter.write_line(
            f"{browserless} tests of pages deselected: no Chromium (apt-get install chromium, or name it in ENCOURS_CHROMIUM)"
        )


def chromium() -> str | None:
    """The Chromium of this machine, None without one."""
    named = os.environ.get("ENCOURS_CHROMIUM")
    return named or next((found for name in _CHROMIUM if (found := shutil.which(name))), None)


def data_directory(root: Path) -> Path:
    """Where the real inputs lie: ENCOURS_DATA, by default beside the checkout."""
    return (root / os.environ.get("ENCOURS_DATA", "../shared/data")).resolve()


@pytest.fixture(scope="session")
def data_dir(pytestconfig: pytest.Config) -> Path:
    """The directory of the real inputs, for tests marked `data`."""
    return data_directory(pytestconfig.rootpath)


@pytest.fixture(scope="session")
def servers() -> Iterator[Addresses]:
    """A real PostgreSQL and a real Valkey of this session's own."""
    with test_servers() as addresses:
        yield addresses


@pytest.fixture(scope="session")
def databases(servers: Addresses) -> Databases:
    """Fresh databases with a service's schema."""
    return Databases(servers.database_url)


@pytest.fixture(scope="session")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key pair for every issuer."""
    directory = tmp_path_factory.mktemp("keys")
    make_key_pairs(directory)
    return directory


@pytest.fixture(scope="session")
def openapi_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents as the code says them now; the gateway routes by them."""
    directory = tmp_path_factory.mktemp("openapi")
    write(directory, generate())
    return directory


@pytest.fixture(scope="session")
async def _stacks(
    servers: Addresses, databases: Databases, keys_dir: Path, request: pytest.FixtureRequest
) -> AsyncIterator[MakeStack]:
    numbers = itertools.count()
    free = list(range(_REDIS_DATABASES))
    open_stacks: list[Stack] = []

    async def make(
        *members: ServiceName | Service,
        tables: Mapping[ServiceName, MetaData] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Stack:
        told = dict(settings or {})
        if "gateway" in members:
            told.setdefault("ENCOURS_OPENAPI_DIR", str(request.getfixturevalue("openapi_dir")))
        redis_database = free.pop()
        redis = urlsplit(servers.redis_url)._replace(path=f"/{redis_database}")
        made = Stack(
            f"stack{next(numbers)}", list(members), databases=databases, redis_url=urlunsplit(redis),
            keys_dir=keys_dir, tables=tables, settings=told,
        )  # fmt: skip
        open_stacks.append(made)
        made.when_closed.append(lambda: free.append(redis_database))
        await made.start()
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(_Stderr()))  # type: ignore[arg-type]
        return made

    yield make
    for made in reversed(open_stacks):
        await made.close()


@pytest.fixture
async def make_stack(_stacks: MakeStack) -> AsyncIterator[MakeStack]:
    """Start a stack of a test's own: `await make_stack("ledger", "risk")`, or of `Service` objects made for the test."""
    made: list[Stack] = []

    async def make(*members: ServiceName | Service, **options: Any) -> Stack:
        made.append(await _stacks(*members, **options))
        return made[-1]

    yield make
    for one in reversed(made):
        await one.close()


@pytest.fixture(scope="session")
async def _alone(_stacks: MakeStack) -> Callable[[ServiceName], Awaitable[tuple[Stack, Contract]]]:
    running: dict[ServiceName, tuple[Stack, Contract]] = {}

    async def one(service: ServiceName) -> tuple[Stack, Contract]:
        if service not in running:
            made = await _stacks(service)
            running[service] = (made, Contract(build(made.apps[service])))
        return running[service]

    return one


@pytest.fixture
async def service_client(
    _alone: Callable[[ServiceName], Awaitable[tuple[Stack, Contract]]],
) -> AsyncIterator[MakeClient]:
    """A client of one service, alone, in a fresh tenant: `await service_client("ledger", "ledger:read", now="2026-03-31")`.

    Options: see `fresh_client`. The service runs once a session; its peers are stood in for (`client.stack.standins`).
    """
    made: list[ServiceClient] = []

    async def make(service: ServiceName, *scopes: str, **options: Any) -> ServiceClient:
        running, contract = await _alone(service)
        made.append(await fresh_client(running, service, contract, *scopes, **options))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture(scope="session")
async def toys(_stacks: MakeStack) -> Stack:
    """The two tiny services of `libs.testkit.toys`, without workers: on them the mechanisms are proved."""
    return await _stacks(producer(), consumer(), tables=TABLES)


@pytest.fixture
async def toy_client(toys: Stack) -> AsyncIterator[MakeClient]:
    """A client of the toy that keeps things, in a fresh tenant."""
    contract = Contract(build(toys.apps["ledger"]))
    made: list[ServiceClient] = []

    async def make(*scopes: str, **options: Any) -> ServiceClient:
        made.append(await fresh_client(toys, "ledger", contract, *scopes, **options))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture(scope="session")
async def stack(_stacks: MakeStack) -> Stack:
    """The whole house, with its workers: six services on real sockets, in this event loop."""
    made = await _stacks(*SERVICES)
    await made.start_workers()
    return made


@pytest.fixture(scope="session")
async def gateway_contract(stack: Stack) -> Contract:
    """The merged document, as the gateway serves it."""
    async with httpx.AsyncClient(base_url=stack.url("gateway"), trust_env=False) as client:
        response = await client.get("/openapi.json")
        response.raise_for_status()
        return Contract(response.json())


@pytest.fixture
async def make_tenant(stack: Stack, gateway_contract: Contract) -> AsyncIterator[MakeTenant]:
    """Make sandbox tenants through the gateway: `await make_tenant(now="2026-03-31", currency="CHF")`."""
    made: list[TestTenant] = []

    async def make(**wishes: Any) -> TestTenant:
        made.append(await TestTenant.create(stack, gateway_contract, BOOTSTRAP_KEY, **wishes))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.fixture
async def tenant(make_tenant: MakeTenant) -> TestTenant:
    """A sandbox tenant of the whole house, with an admin key."""
    return await make_tenant()


class _Stderr:
    """Whatever stderr is at the moment: pytest changes it from test to test."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()
