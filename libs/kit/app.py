"""A service's application: its routers, the house's own paths, health, metrics, and the lifespan that connects it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from libs.kit import internal_api, logs, migrations, operations, problems, telemetry
from libs.kit.edge import Edge
from libs.kit.runtime import Runtime, open_runtime
from libs.kit.service import Service
from libs.kit.settings import Settings, database_url, load_settings

VERSION = "0.1.0"


def build_app(
    service: Service,
    settings: Settings | None = None,
    background: Callable[[Runtime], AsyncIterator[None]] | None = None,
) -> FastAPI:
    """The application of a service. Settings are read when it starts, so that the OpenAPI can be built without any."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configured = settings or load_settings()
        logs.configure(service.name, configured.log_level, configured.log_format)
        telemetry.configure(service.name, configured.otel_endpoint)
        async with open_runtime(service, configured) as runtime:
            app.state.runtime = runtime
            if background is None:
                yield
            else:
                async with asynccontextmanager(background)(runtime):
                    yield
        telemetry.shutdown()

    app = FastAPI(
        title=service.title,
        description=service.description,
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=None,
    )
    problems.install(app)
    for router in (*service.routers, operations.router_of(service.name)):
        # Not include_router: it nests them, and finding the way through twenty nested routers costs more than saying hello.
        app.router.routes.extend(router.routes)
    app.include_router(internal_api.router, include_in_schema=False)
    app.add_route("/health/live", _live, include_in_schema=False)
    app.add_route("/health/ready", _ready, include_in_schema=False)
    app.add_route("/metrics", _metrics, include_in_schema=False)
    app.add_middleware(Edge, service=service.name)
    return app


async def _live(request: Request) -> Response:
    """The process runs. It depends on nothing else, or a database's pause would restart the whole house."""
    return JSONResponse({"status": "live"})


async def _ready(request: Request) -> Response:
    """Whether requests can be served now: database, schema; Redis is reported but not needed."""
    runtime: Runtime = request.app.state.runtime
    checks: dict[str, str] = {}
    try:
        await asyncio.wait_for(runtime.db.ping(), 3)
        await migrations.require_current(
            runtime.service.name, database_url(runtime.settings, runtime.service.name)
        )
        checks["database"] = "ok"
    except migrations.SchemaIsStale:
        checks["database"] = "schema is stale"
    except Exception:
        checks["database"] = "down"
    try:
        await asyncio.wait_for(runtime.jobs.ping(), 2)
        checks["redis"] = "ok"
    except Exception:
        checks["redis"] = "down"
    ready = checks["database"] == "ok"
    body = {"status": "ready" if ready else "not ready", "service": runtime.service.name, "checks": checks}
    return JSONResponse(body, 200 if ready else 503)


async def _metrics(request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
