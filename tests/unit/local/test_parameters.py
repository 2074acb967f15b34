"""Parameters of the stack, as a command line gives them."""

import argparse

import pytest

from local.arguments import name_and_value, port_number


def test_value_that_the_template_allows_is_taken() -> None:
    assert name_and_value("ScheduleState=DISABLED") == ("ScheduleState", "DISABLED")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ScheduleState=OFF", "takes ENABLED or DISABLED"),
        ("OFF", "is not of the form Name=value"),
        ("SchedulesState=DISABLED", "has no parameter SchedulesState"),
    ],
)
def test_value_that_the_template_does_not_allow_is_refused_with_those_it_does(text: str, reason: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=reason):
        name_and_value(text)


@pytest.mark.parametrize("text", ["0", "99999", "-1", "http"])
def test_number_that_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no port between 1 and 65535"):
        port_number(text)
    assert port_number("4700") == 4700
