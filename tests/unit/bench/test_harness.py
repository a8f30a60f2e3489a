"""The arithmetic of the benches and the table they print."""

import pytest

from tests.bench.figures import Figure, Goal, percentile, ratio, table
from tests.bench.harness import spent
from tests.bench.load import request


def test_a_ratio_is_the_median_of_the_rounds_not_of_the_sides() -> None:
    assert ratio([(2, 1), (30, 10), (4, 4)]) == 2
    assert ratio([(1, 2), (3, 2)]) == 1
    # The median of ours (10) by the median of the yardstick's (10) would be 1: a slow moment hits both halves of a round.
    assert ratio([(10, 5), (10, 10), (100, 50)]) == 2


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([3, 1, 2], 0.5, 2),
        ([1, 2, 3, 4], 0.5, 2),
        ([7], 0.99, 7),
        (range(1, 101), 0.99, 99),
        ([1, 2], 1.0, 2),
    ],
)
def test_a_percentile_is_one_of_the_values(values, share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_a_goal_allows_its_bound() -> None:
    assert Goal(least=0.35).met(0.35)
    assert not Goal(least=0.35).met(0.349)
    assert Goal(most=3).met(3)
    assert not Goal(most=3).met(3.01)
    assert [str(Goal(least=0.35)), str(Goal(most=1.5))] == [">= 0.35", "<= 1.5"]


def test_the_table_says_what_is_met_and_what_is_not() -> None:
    lines = table(
        [
            Figure("P5", "one a request", 0.4, Goal(least=0.35), "fsync"),
            Figure("P13", "page 10,000", 1.304, Goal(most=1.2)),
            Figure("P19", "on disk an item", 812.4, None, "", "bytes"),
        ]
    ).splitlines()
    columns = [line.split("  ") for line in lines]
    shown = [[cell.strip() for cell in line if cell.strip()] for line in columns]
    assert shown[0] == ["id", "what", "goal", "measured", "met", "where the time goes"]
    assert shown[2:] == [
        ["P5", "one a request", ">= 0.35", "0.40", "yes", "fsync"],
        ["P13", "page 10,000", "<= 1.2", "1.30", "NO"],
        ["P19", "on disk an item", "-", "812 bytes", "-"],
    ]
    place = lines[0].index("goal")
    assert [line[place : place + 2] for line in lines[2:]] == [">=", "<=", "- "]


def test_processor_time_is_shared_among_those_named() -> None:
    before, after = {"a": 1.0, "b": 2.0, "c": 0.0}, {"a": 2.0, "b": 5.0, "c": 9.0}
    assert spent(before, after, "a", "b") == "b 75%, a 25%"
    assert spent(before, before, "a", "b") == ""


def test_a_request_says_its_length_and_its_key() -> None:
    head, _, body = request("POST", "/v1/items", "k", b"{}", idempotency_key="1").partition(b"\r\n\r\n")
    assert body == b"{}"
    for line in (
        b"POST /v1/items HTTP/1.1", b"authorization: Bearer k", b"content-length: 2", b"idempotency-key: 1",
        b"content-type: application/json",
    ):  # fmt: skip
        assert line in head.split(b"\r\n")
    assert b"content-type" not in request("GET", "/", "")
