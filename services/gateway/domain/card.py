"""What the customer card makes of the risk service's answers. Pure: answers in, members out."""

from typing import Any

#: The most telling state of several memberships.
_STATES = ("member", "adding", "unknown", "failed", "removing", "removed")
_LIVE = frozenset(("member", "adding", "unknown"))
NOT_MONITORED = "none"


def provider_fields(risk: dict[str, Any], changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Each field as providers have it, with what it was before its last change by the same source; none without a source.

    risk: `GET /v1/companies/{id}/risk`; changes: a page of `…/history`, newest first.
    """
    if not risk["by_provider"]:
        return []
    last: dict[tuple[str, str | None], dict[str, Any]] = {}
    for change in changes["data"]:
        last.setdefault((change["field"], change["provider_connection_id"]), change)
    fields = []
    for name, value in risk["canonical"].items():
        change = last.get((name, value["provider_connection_id"]))
        before = (change["old"] or {}).get("value") if change else None
        fields.append(
            {
                "field": name,
                "value": value["value"],
                "state": value["state"],
                "as_of": value["as_of"],
                "previous": before,
                "changed_at": change["fetched_at"] if change else None,
                "provider": value["provider"],
                "currency": value["currency"],
                "stale": value["stale"],
            }
        )
    return fields


def monitoring(risk: dict[str, Any], connections: dict[str, Any], *, may_add: bool) -> dict[str, Any] | None:
    """How providers watch the company, and whether the caller could have another one watch it; None without a connection."""
    active = {one["id"] for one in connections["data"] if one["state"] == "active"}
    watched = risk["monitoring"]
    if not active and not watched:
        return None
    live = {one["provider_connection_id"] for one in watched if one["state"] in _LIVE}
    states = sorted((one["state"] for one in watched), key=_STATES.index)
    return {"state": states[0] if states else NOT_MONITORED, "can_add": may_add and bool(active - live)}


def sparkline_url(risk: dict[str, Any]) -> str | None:
    """Where the score's history is drawn; None without a score."""
    score = risk["canonical"].get("score")
    if score is None or score["state"] != "known":
        return None
    return f"/v1/companies/{risk['company_id']}/risk/sparkline.svg?field=score"
