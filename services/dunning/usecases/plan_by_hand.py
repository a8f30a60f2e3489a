"""Actions a person plans beside the scenario."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.kit.db import Row, Tx
from libs.kit.problems import invalid
from services.dunning.domain.scenario import Channel, Mode
from services.dunning.storage import scenarios as scenario_rows
from services.dunning.storage import situations
from services.dunning.usecases import specific
from services.dunning.usecases.plan import withdraw_overtaken


async def plan(tx: Tx, customer: Row, items: Sequence[Row], wishes: Mapping[str, Any]) -> Row:
    """`wishes`: kind, channel, due_on, template_id, mode, assignee, comment. Raises 422 for what cannot be done."""
    channel = Channel(wishes["channel"])
    if wishes["due_on"] < tx.today:
        raise invalid("/due_on", "in_the_past", "expected today or a later day")
    if channel.is_message and wishes["template_id"] is None:
        raise invalid("/template_id", "template_missing", f"a {channel} needs a template")
    if wishes["template_id"] is not None and not await tx.fetchval(
        "SELECT true FROM templates WHERE tenant_id = $1 AND id = $2", tx.tenant_id, wishes["template_id"]
    ):
        raise invalid("/template_id", "template_unknown", "expected the id of a template")
    mode = Mode(wishes["mode"]) if wishes["mode"] else Mode.AUTOMATIC if channel.is_message else Mode.MANUAL
    if mode is Mode.AUTOMATIC and not channel.is_message:
        raise invalid("/mode", "mode_impossible", f"a {channel} is done by a person")
    if wishes["kind"] == specific.SPECIFIC:
        await specific.release(tx, customer["id"], [item["id"] for item in items])
    row = await specific.schedule(
        tx, customer, items, kind=wishes["kind"], channel=channel, mode=mode, due_on=wishes["due_on"],
        template_id=wishes["template_id"], assignee=wishes["assignee"], comment=wishes["comment"],
    )  # fmt: skip
    await situations.refresh_exclusions(tx, [customer["id"]])
    await withdraw_overtaken(tx, customer["id"], await scenario_rows.in_force(tx), tx.today)
    tx.audit(
        "action_planned", "action", row["id"], after={"kind": wishes["kind"], "due_on": wishes["due_on"]}
    )
    return row
