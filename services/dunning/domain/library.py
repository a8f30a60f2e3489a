"""Ready-made scenarios: what a tenant can start from without writing one."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.dunning.domain.scenario import Channel, Mode

__all__ = ["LIBRARY", "Model", "ModelStep"]


@dataclass(frozen=True, slots=True)
class ModelStep:
    """A step that names its template by code: first_reminder, second_reminder, …"""

    offset_days: int
    channel: Channel
    mode: Mode
    template: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A scenario to copy. `minimums` as in a scenario version, in minor units by currency."""

    name: str
    description: str
    steps: tuple[ModelStep, ...]
    cap_days: int
    minimums: Mapping[str, int]


def _mail(offset: int, template: str, mode: Mode = Mode.AUTOMATIC) -> ModelStep:
    return ModelStep(offset, Channel.EMAIL, mode, template)


def _work(offset: int, channel: Channel) -> ModelStep:
    return ModelStep(offset, channel, Mode.MANUAL)


_FIRST, _SECOND = "first_reminder", "second_reminder"
LIBRARY: Mapping[str, Model] = {
    "standard": Model(
        "Standard",
        "Two e-mails that send themselves, a call, then a person decides.",
        (_mail(5, _FIRST), _mail(15, _SECOND), _work(30, Channel.CALL), _work(45, Channel.TASK)),
        7,
        {},
    ),
    "soft": Model(
        "Soft",
        "For customers to keep: late and polite, nothing leaves without a person after the first e-mail.",
        (
            _mail(10, _FIRST),
            _work(20, Channel.CALL),
            _mail(35, _SECOND, Mode.TO_CONFIRM),
            _work(60, Channel.CALL),
        ),
        14,
        {"EUR": 5_000, "USD": 5_000, "GBP": 5_000},
    ),
    "risky": Model(
        "Risky",
        "For customers that may fail: before the due date already, and close together.",
        (
            _mail(-5, _FIRST),
            _mail(1, _FIRST),
            _work(5, Channel.CALL),
            _mail(10, _SECOND),
            _work(15, Channel.CALL),
            _work(25, Channel.TASK),
        ),
        3,
        {},
    ),
    "public_sector": Model(
        "Public sector",
        "For public buyers: payment takes its thirty days, reminders wait for a person.",
        (
            _mail(15, _FIRST, Mode.TO_CONFIRM),
            _work(30, Channel.CALL),
            _mail(45, _SECOND, Mode.TO_CONFIRM),
            _work(60, Channel.TASK),
        ),
        15,
        {},
    ),
}
