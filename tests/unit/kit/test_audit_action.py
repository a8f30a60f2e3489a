"""Actions of the audit log have one shape, whoever writes them."""

import pytest

from libs.kit.db import audit_action


@pytest.mark.parametrize(
    ("written", "kind", "told"),
    [
        ("customer.changed", "customer", "customer.changed"),
        ("webhook_endpoint.secret_rotated", "webhook_endpoint", "webhook_endpoint.secret_rotated"),
        ("dunning_run_started", "dunning_run", "dunning_run.started"),
        ("company_put_on_hold", "company", "company.put_on_hold"),
        ("limit_request_amended", "credit_limit_request", "limit_request.amended"),
        ("customer_paused", "pause", "customer.paused"),
    ],
)
def test_every_action_is_told_as_object_and_verb(written: str, kind: str, told: str) -> None:
    assert audit_action(written, kind) == told
