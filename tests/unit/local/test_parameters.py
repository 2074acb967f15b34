"""Parameters of the stack, as a command line gives them."""

import argparse

import pytest

from local.commands.up import name_and_value


def test_value_that_the_template_allows_is_taken() -> None:
    assert name_and_value("ScheduleState=DISABLED") == ("ScheduleState", "DISABLED")


@pytest.mark.parametrize(
    ("text", "reason"), [("ScheduleState=OFF", "takes ENABLED or DISABLED"), ("OFF", "is not of the form Name=value")]
)
def test_value_that_the_template_does_not_allow_is_refused_with_those_it_does(text: str, reason: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=reason):
        name_and_value(text)
