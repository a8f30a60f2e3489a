"""What others would be measured by: FastAPI as it comes, and FastAPI with a bare asyncpg insert behind it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg
from fastapi import FastAPI
from pydantic import BaseModel

#: One table, one index: the least that holds an invoice.
TABLE = """
    CREATE TABLE invoices (id uuid PRIMARY KEY, customer_id uuid NOT NULL, external_id text NOT NULL UNIQUE,
        issue_date date NOT NULL, due_date date NOT NULL, currency char(3) NOT NULL, amount bigint NOT NULL)
"""
_INSERT = "INSERT INTO invoices VALUES ($1, $2, $3, $4, $5, $6, $7)"


class Invoice(BaseModel):
    """What the yardstick takes."""

    kind: str
    customer_id: UUID
    external_id: str
    issue_date: date
    due_date: date
    currency: str
    amount: Decimal


def create_app() -> FastAPI:
    """The application; BENCH_DATABASE_URL says where its table is."""
    pools: list[asyncpg.Pool] = []

    @asynccontextmanager
    async def connected(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(os.environ["BENCH_DATABASE_URL"], min_size=4, max_size=10) as pool:
            pools.append(pool)
            yield

    app = FastAPI(lifespan=connected)

    @app.get("/hello")
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    @app.post("/invoices", status_code=201)
    async def create_invoice(body: Invoice) -> dict[str, UUID]:
        made = uuid4()
        await pools[0].execute(
            _INSERT, made, body.customer_id, body.external_id, body.issue_date, body.due_date, body.currency,
            int(body.amount * 100),
        )  # fmt: skip
        return {"id": made}

    return app
