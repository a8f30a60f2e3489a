"""What is done to templates: the set a tenant starts with, changes of words as versions."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import FieldError, Problem
from services.dunning.domain.letters import TemplateText, template_faults
from services.dunning.domain.letters.library import LIBRARY
from services.dunning.storage import letters


async def start_with_templates(tx: Tx) -> dict[str, UUID]:
    """The library's templates, in all languages; the id of each by its code."""
    ids = {}
    for entry in LIBRARY:
        values = {
            "code": entry.code, "name": entry.name, "channel": entry.channel, "built_in": True,
            "attach_statement": entry.attach_statement,
            "texts": {tag: asdict(text) for tag, text in entry.texts.items()},
        }  # fmt: skip
        row = await letters.insert_template(tx, values, "system")
        if row is not None:
            ids[entry.code] = row["id"]
    return ids


async def create(tx: Tx, values: dict[str, Any]) -> Row:
    """A template of the tenant's own. Raises 409 `code_exists`, 422 naming part, line and what is wrong."""
    require_sound(values["texts"])
    row = await letters.insert_template(tx, values, tx.actor.subject)
    if row is None:
        existing = await tx.fetchval(
            "SELECT id FROM templates WHERE tenant_id = $1 AND code = $2", tx.tenant_id, values["code"]
        )
        raise Problem(
            409, "code_exists", "The code names another template already.", existing_id=str(existing)
        )
    tx.audit("template_created", "template", row["id"], None, {"code": row["code"]})
    return row


async def change(tx: Tx, row: Row, changes: dict[str, Any]) -> Row:
    """Change a locked template; other words make the next version, the earlier ones stay readable."""
    if "texts" in changes:
        require_sound(changes["texts"])
    changed = await letters.change_template(tx, row, changes, tx.actor.subject)
    tx.audit(
        "template_changed", "template", row["id"], {"number": row["number"]}, {"number": changed["number"]}
    )
    return changed


async def delete(tx: Tx, row: Row) -> None:
    """Take a template away. Raises 409 `in_use` when a scenario, a status or an action names it: archive it instead."""
    used = await tx.fetchval(
        "SELECT EXISTS (SELECT 1 FROM actions WHERE tenant_id = $1 AND template_id = $2)"
        " OR EXISTS (SELECT 1 FROM scenario_versions WHERE tenant_id = $1 AND steps @> $3::jsonb)",
        tx.tenant_id, row["id"], f'[{{"template_id": "{row["id"]}"}}]',
    )  # fmt: skip
    if used:
        raise Problem(409, "in_use", "A scenario or an action names this template: archive it instead.")
    for table, column in (("template_versions", "template_id"), ("templates", "id")):
        await tx.execute(
            f"DELETE FROM {table} WHERE tenant_id = $1 AND {column} = $2", tx.tenant_id, row["id"]
        )
    tx.audit("template_deleted", "template", row["id"], {"code": row["code"]}, None)


def require_sound(texts: dict[str, dict[str, Any]]) -> None:
    """Raise 422 naming every fault by language, part and line."""
    errors = [
        FieldError(f"/texts/{tag}/{fault.part}", fault.code, f"line {fault.line}: {fault.detail}")
        for tag, text in texts.items()
        for fault in template_faults(TemplateText(**text))
    ]
    if errors:
        raise Problem(422, "invalid", "The template cannot be filled as it stands.", errors=errors[:50])
