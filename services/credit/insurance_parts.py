"""The parts of credit that are credit insurance, for the service's declaration."""

from collections.abc import Sequence

from fastapi import APIRouter

from libs.kit.service import DayStep, Handler, Job, StateReader, Sweep
from services.credit.api.insurance import (
    buyers,
    claims,
    clocks,
    connections,
    exposures,
    guarantees,
    insistences,
    messages,
    policies,
    requests,
    webhooks,
)
from services.credit.feed import insurance
from services.credit.usecases.insurance import inbox, reading, sending, states, watching
from services.credit.usecases.insurance.days import change_covers

ROUTERS: Sequence[APIRouter] = [
    connections.router,
    policies.router,
    buyers.router,
    requests.router,
    guarantees.router,
    exposures.router,
    clocks.router,
    claims.router,
    insistences.router,
    messages.router,
    webhooks.router,
]
JOBS: dict[str, Job] = {
    inbox.JOB: inbox.take_in,
    reading.JOB: reading.read_connection,
    sending.JOB: sending.send_waiting,
}
SWEEPS: Sequence[Sweep] = [inbox.sweep, sending.sweep]
DAY_STEPS: dict[str, DayStep] = {
    "insurer_readings": reading.read_daily,
    "covers": change_covers,
    "cover_clocks": watching.watch_daily,
}
OF_LEDGER: dict[str, Handler] = {
    "item.changed": insurance.keep_items,
    "payment.changed": insurance.keep_bounced_payments,
}
OF_RISK: dict[str, Handler] = {"legal_status.changed": insurance.keep_insolvencies}
OF_DUNNING: dict[str, Handler] = {"qualification.changed": insurance.keep_disputes}
STATES: dict[str, StateReader] = {
    "cover.changed": states.cover_states,
    "guarantee.decided": states.decision_states,
    "guarantee_request.changed": states.request_states,
    "clock.approaching": states.clock_states,
    "insurer_grade.changed": states.grade_states,
}
