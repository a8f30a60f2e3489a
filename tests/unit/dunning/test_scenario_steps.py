"""Which lists of steps are accepted, and where each step stands on a leader's time line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dunning.domain.scenario import Channel, Mode, Step, default_steps, findings, nominal_days
from tests.unit.dunning.books import TEMPLATE


def mail(offset_days: int | None = None, after_days: int | None = None) -> Step:
    return Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE, offset_days, after_days)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], []),
        (list(default_steps(TEMPLATE, TEMPLATE)), []),
        ([mail(offset_days=-5), mail(after_days=3)], []),
        ([mail()], [("step_time_ambiguous", "/steps/0")]),
        ([mail(offset_days=1, after_days=1)], [("step_time_ambiguous", "/steps/0")]),
        ([mail(after_days=1)], [("first_step_relative", "/steps/0/after_days")]),
        ([mail(offset_days=2_000)], [("out_of_range", "/steps/0/offset_days")]),
        (
            [mail(offset_days=1), mail(after_days=-1)],
            [("out_of_range", "/steps/1/after_days")],
        ),
        ([Step(Channel.CALL, Mode.AUTOMATIC, offset_days=1)], [("mode_impossible", "/steps/0/mode")]),
        ([Step(Channel.EMAIL, Mode.MANUAL, offset_days=1)], [("template_missing", "/steps/0/template_id")]),
        (
            [mail(offset_days=9), mail(after_days=5), mail(offset_days=12)],
            [("steps_not_in_order", "/steps/2")],
        ),
    ],
)
def test_what_is_wrong_with_a_scenario(steps: list[Step], expected: list[tuple[str, str]]) -> None:
    assert [(finding.code, finding.pointer) for finding in findings(steps)] == expected


def test_every_fault_is_named_at_once() -> None:
    faults = findings([Step(Channel.CALL, Mode.AUTOMATIC), Step(Channel.EMAIL, Mode.MANUAL, offset_days=1)])
    assert [fault.code for fault in faults] == ["step_time_ambiguous", "mode_impossible", "template_missing"]


@given(st.integers(-30, 30), st.lists(st.integers(0, 40), max_size=6))
def test_relative_steps_add_up(first: int, intervals: list[int]) -> None:
    steps = [mail(offset_days=first), *(mail(after_days=days) for days in intervals)]
    assert nominal_days(steps) == tuple(first + sum(intervals[:count]) for count in range(len(intervals) + 1))
    assert findings(steps) == []
