"""What the card makes of the risk service's answers."""

from typing import Any

import pytest

from services.gateway.domain.card import monitoring, provider_fields, sparkline_url


def _value(value: Any, connection: str | None = "c1", state: str = "known") -> dict[str, Any]:
    return {
        "state": state, "value": value, "as_of": "2026-03-01", "provider": "altares", "provider_connection_id": connection,
        "currency": None, "stale": False,
    }  # fmt: skip


def _change(field: str, old: Any, at: str, connection: str | None = "c1") -> dict[str, Any]:
    return {
        "field": field, "provider_connection_id": connection, "fetched_at": at,
        "old": None if old is None else {"value": old}, "new": {"value": "x"},
    }  # fmt: skip


def test_a_field_shows_what_it_was_before_its_last_change_by_the_same_source() -> None:
    risk = {
        "by_provider": [{}],
        "canonical": {
            "score": _value("14"),
            "paydex": _value(None, state="no_data"),
            "grade": _value("B", "c2"),
        },
    }
    changes = {"data": [
        _change("score", "9", "2026-03-09", "c2"), _change("score", "11", "2026-03-02"), _change("score", "8", "2026-01-02"),
        _change("grade", None, "2026-02-02", "c2"),
    ]}  # fmt: skip
    shown = {
        one["field"]: (one["value"], one["previous"], one["changed_at"])
        for one in provider_fields(risk, changes)
    }
    assert shown == {
        "score": ("14", "11", "2026-03-02"),
        "paydex": (None, None, None),
        "grade": ("B", None, "2026-02-02"),
    }
    assert provider_fields({"by_provider": [], "canonical": risk["canonical"]}, changes) == []


ACTIVE = {"id": "c1", "state": "active"}


@pytest.mark.parametrize(
    ("watched", "connections", "expected"),
    [
        ([], [], None),
        ([], [{"id": "c1", "state": "paused"}], None),
        ([], [ACTIVE], {"state": "none", "can_add": True}),
        ([("c1", "member")], [ACTIVE], {"state": "member", "can_add": False}),
        ([("c1", "failed")], [ACTIVE], {"state": "failed", "can_add": True}),
        ([("c1", "unknown")], [ACTIVE], {"state": "unknown", "can_add": False}),
        ([("c1", "adding"), ("c2", "member")], [ACTIVE, {"id": "c3", "state": "active"}], {"state": "member", "can_add": True}),
    ],
)  # fmt: skip
def test_the_card_says_who_watches_and_whether_another_could(
    watched: Any, connections: Any, expected: Any
) -> None:
    risk = {"monitoring": [{"provider_connection_id": one, "state": state} for one, state in watched]}
    assert monitoring(risk, {"data": connections}, may_add=True) == expected
    barred = monitoring(risk, {"data": connections}, may_add=False)
    assert barred == (expected and {**expected, "can_add": False})


def test_a_score_is_drawn_where_there_is_one() -> None:
    assert sparkline_url({"company_id": "x", "canonical": {}}) is None
    assert sparkline_url({"company_id": "x", "canonical": {"score": _value(None, state="error")}}) is None
    assert sparkline_url({"company_id": "x", "canonical": {"score": _value("3")}}) == (
        "/v1/companies/x/risk/sparkline.svg?field=score"
    )
