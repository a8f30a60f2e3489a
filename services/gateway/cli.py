"""`encours`: the operator's command line. Tenants and keys straight in the database, imports over HTTP as an ERP would."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import asyncpg
from sqlalchemy.exc import ArgumentError

from libs.contracts.currencies import currency_codes
from libs.kit import migrations
from libs.kit.db import Database
from libs.kit.problems import Problem
from libs.kit.settings import SERVICES, SettingsRefused, database_url, load_settings
from services.gateway.domain.access import SCOPES
from services.gateway.push import PushFailed, push_file
from services.gateway.usecases.tenants import change_status, create_key, create_tenant

_STATUSES = {"suspend": "suspended", "resume": "active", "delete": "deleted"}


class Refused(Exception):
    """What the operator must mend, in one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. 0 when it went well, 1 when not (one line on stderr says why), 2 for a command that cannot be read."""
    given = _parser().parse_args(arguments)
    try:
        asyncio.run(given.run(given))
    except (Refused, SettingsRefused, PushFailed) as refused:
        return _failed(str(refused))
    except migrations.SchemaIsStale as stale:
        return _failed(f"{stale} (encours migrate)")
    except Problem as problem:
        return _failed(problem.detail)
    except ArgumentError:
        return _failed("ENCOURS_DATABASE_URL is not an address such as postgresql://user@host:5432/name")
    except (OSError, asyncpg.PostgresError) as error:
        return _failed(f"the database does not answer: {error or type(error).__name__}")
    except KeyboardInterrupt:
        return _failed("interrupted")
    return 0


def _failed(reason: str) -> int:
    sys.stderr.write(f"encours: {' '.join(reason.split())}\n")
    return 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="encours", description="Encours: credit management over an API.")
    commands = parser.add_subparsers(required=True, metavar="command")

    tenant = commands.add_parser("tenant", help="create, suspend, resume or delete a tenant")
    verbs = tenant.add_subparsers(required=True, metavar="verb")
    create = verbs.add_parser("create", help="create a tenant and print its first key, this once")
    create.add_argument("name")
    create.add_argument("--time-zone", default="Europe/Paris", help="IANA name (default: %(default)s)")
    create.add_argument("--currency", default="EUR", help="reporting currency (default: %(default)s)")
    create.set_defaults(run=_create_tenant)
    for verb, status in _STATUSES.items():
        change = verbs.add_parser(verb, help=f"mark a tenant {status}")
        change.add_argument("tenant", type=UUID, metavar="TENANT_ID")
        if verb == "delete":
            change.add_argument(
                "--yes", action="store_true", help="mean it: its keys are refused from now on"
            )
        change.set_defaults(run=_change_tenant, status=status)

    key = commands.add_parser("key", help="create an API key").add_subparsers(required=True, metavar="verb")
    new = key.add_parser("create", help="create a key and print it, this once")
    new.add_argument("name")
    new.add_argument("--tenant", type=UUID, required=True, metavar="TENANT_ID")
    new.add_argument("--scopes", default="admin", help="separated by commas (default: %(default)s)")
    new.add_argument("--user", type=UUID, metavar="USER_ID", help="the user the key acts for")
    new.set_defaults(run=_create_key)

    migrate = commands.add_parser("migrate", help="bring every database to its newest schema")
    migrate.set_defaults(run=_migrate)

    push = commands.add_parser("import", help="push a file of rows, as an ERP would")
    push.add_argument("file", type=Path, help="JSON, NDJSON or CSV, plain or .gz")
    push.add_argument("--kind", required=True, choices=["items", "customers", "orders", "payments"])
    push.add_argument("--mode", default="delta", choices=["delta", "snapshot"])
    push.add_argument("--source", help="the system the file comes from, such as sap")
    push.add_argument("--business-unit", metavar="ID", help="of rows that name none")
    push.add_argument(
        "--taken-at", metavar="INSTANT", help="when the source said so, such as 2026-03-31T06:00:00Z"
    )
    push.add_argument("--dialect", metavar="JSON", help="how a CSV file is written")
    push.add_argument("--mapping", metavar="JSON", help="which column is which field")
    push.add_argument("--create-customers", action="store_true", help="make customers that nobody knows yet")
    push.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
    push.add_argument(
        "--url", default=os.environ.get("ENCOURS_URL", "http://127.0.0.1:8080"), help="(ENCOURS_URL)"
    )
    push.add_argument(
        "--key", default=os.environ.get("ENCOURS_KEY"), help="(ENCOURS_KEY: out of the shell's history)"
    )
    push.set_defaults(run=_import)
    return parser


async def _create_tenant(given: argparse.Namespace) -> None:
    if given.time_zone not in available_timezones():
        raise Refused(f"{given.time_zone} is not an IANA time zone such as Europe/Paris")
    if given.currency not in currency_codes():
        raise Refused(f"{given.currency} is not an ISO 4217 currency such as EUR")
    made = await _in_database(lambda db: create_tenant(db, given.name, given.time_zone, given.currency))
    _say(f"tenant  {made.tenant_id}")
    _say(f"key     {made.api_key}")


async def _change_tenant(given: argparse.Namespace) -> None:
    if given.status == "deleted" and not given.yes:
        raise Refused("deleting a tenant ends its keys for good: add --yes")
    await _in_database(lambda db: change_status(db, given.tenant, given.status))
    _say(f"tenant  {given.tenant}  {given.status}")


async def _create_key(given: argparse.Namespace) -> None:
    scopes = [name for name in given.scopes.split(",") if name]
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise Refused(
            f"expected scopes among {', '.join(SCOPES)}" + (f", not {unknown[0]}" if unknown else "")
        )
    text = await _in_database(lambda db: create_key(db, given.tenant, given.name, scopes, given.user))
    _say(f"key     {text}")


async def _migrate(given: argparse.Namespace) -> None:
    settings = load_settings()
    for service in SERVICES:
        if migrations.has_database(service):
            await asyncio.to_thread(migrations.upgrade, service, database_url(settings, service))
            _say(f"{service:8}  at its newest schema")


async def _import(given: argparse.Namespace) -> None:
    if not given.key:
        raise Refused("an import needs --key or ENCOURS_KEY")
    query = {
        "kind": given.kind, "mode": given.mode, "source": given.source, "business_unit_id": given.business_unit,
        "taken_at": given.taken_at, "dialect": given.dialect, "mapping": given.mapping,
        "create_customers": "true" if given.create_customers else None,
        "dry_run": "true" if given.dry_run else None,
    }  # fmt: skip
    done = await push_file(
        given.url, given.key, given.file, {k: v for k, v in query.items() if v is not None}
    )
    _show_import(done)
    if done["status"] != "completed":
        raise Refused(_why(done))


def _show_import(done: dict[str, Any]) -> None:
    counts = done["counts"] if not done["diff"] else done["diff"]["counts"]
    shown = ", ".join(f"{count} {name}" for name, count in counts.items())
    _say(f"import  {done['id']}  {done['status']}{' (dry run)' if done['dry_run'] else ''}")
    _say(f"rows    {shown}")
    for fault in done["errors"][:10]:
        _say(f"row {fault['row']}  {fault['pointer']}  {fault['code']}: {fault['detail']}")
    if len(done["errors"]) > 10:
        _say(f"more    GET /v1/imports/{done['id']}/errors")


def _why(done: dict[str, Any]) -> str:
    if done["status"] == "held":
        held = done["held"]
        return (
            f"held ({held['reason']}): it would close {held['closing_count']} items; confirm it with"
            f" POST /v1/imports/{done['id']}/confirm"
        )
    error = done["error"]
    return f"the import is {done['status']}" + (f": {error['detail']}" if error else "")


async def _in_database(work: Callable[[Database], Awaitable[Any]]) -> Any:
    url = database_url(load_settings(), "gateway")
    await migrations.require_current("gateway", url)
    db = Database(url, name="encours-cli", size=2)
    await db.open()
    try:
        return await work(db)
    finally:
        await db.close()


if __name__ == "__main__":
    raise SystemExit(main())
