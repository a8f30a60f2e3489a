"""The event catalogue: every type, and the whole state its subject carries.

Money is minor units (int) beside an ISO 4217 currency inside the house; the public stream writes decimal strings. Dates are
ISO 8601 texts. A consumer applies a subject only if its version is newer than the one it holds, and needs no predecessor.
One JSON Schema a type is generated from these models into `openapi/events/`.
"""

from libs.contracts.events import credit, dunning, gateway, ledger, risk
from libs.contracts.events.state import AlertConditionChanged, State

__all__ = ["CATALOGUE", "INTERNAL", "MONEY_MEMBERS", "POSTED_ONLY", "State"]

CATALOGUE: dict[str, type[State]] = {
    "tenant.changed": gateway.TenantChanged,
    "business_unit.changed": gateway.BusinessUnitChanged,
    "user.changed": gateway.UserChanged,
    "webhook_endpoint.changed": gateway.WebhookEndpointChanged,
    "company.changed": ledger.CompanyChanged,
    "company.merged": ledger.CompanyMerged,
    "customer.changed": ledger.CustomerChanged,
    "item.changed": ledger.ItemChanged,
    "payment.changed": ledger.PaymentChanged,
    "order.changed": ledger.OrderChanged,
    "balance.changed": ledger.BalanceChanged,
    "rate.changed": ledger.RateChanged,
    "import.completed": ledger.ImportCompleted,
    "provider_data.changed": risk.ProviderDataChanged,
    "legal_status.changed": risk.LegalStatusChanged,
    "grade.changed": risk.GradeChanged,
    "assignment.changed": risk.AssignmentChanged,
    "monitoring.changed": risk.MonitoringChanged,
    "alert.opened": risk.AlertChanged,
    "alert.closed": risk.AlertChanged,
    "limit.changed": credit.LimitChanged,
    "limit_request.changed": credit.LimitRequestChanged,
    "cover.changed": credit.CoverChanged,
    "other_guarantee.changed": credit.OtherGuaranteeChanged,
    "hold.changed": credit.HoldChanged,
    "guarantee.decided": credit.GuaranteeDecided,
    "clock.approaching": credit.ClockApproaching,
    "guarantee_request.changed": credit.GuaranteeRequestChanged,
    "insurer_grade.changed": credit.InsurerGradeChanged,
    "qualification.changed": dunning.QualificationChanged,
    "promise.changed": dunning.PromiseChanged,
    "dispute.changed": dunning.DisputeChanged,
    "pause.changed": dunning.PauseChanged,
    "action.changed": dunning.ActionChanged,
    "scenario_assignment.changed": dunning.ScenarioAssignmentChanged,
    "message.sent": dunning.MessageSent,
}

#: What services tell each other and nobody else: no part of the public stream.
INTERNAL: dict[str, type[State]] = {
    "alert_condition.changed": AlertConditionChanged,
    "limit.stated": ledger.LimitStated,
}

#: Posted to a webhook endpoint and told nowhere else.
POSTED_ONLY: dict[str, type[State]] = {"webhook_endpoint.pinged": gateway.WebhookEndpointPinged}

#: Members that hold minor units of the `currency` beside them: the public stream writes them as decimal strings.
MONEY_MEMBERS = frozenset(
    "amount temporary_amount tax_amount open_amount invoiced_amount outstanding overdue credits order_book granted_amount".split()
)
