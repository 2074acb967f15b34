"""The moments of a schedule, and how many invocations they ask for at once."""

import re

from local.transformed import Deployment

HOUR, DAY = 3600.0, 86400.0
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60.0, "hour": HOUR, "day": DAY}
_CRON = re.compile(r"cron\((\d+)(?:/(\d+))? (\d+|\*) \* \* \? \*\)")
# It has no model: it keeps an instance warm.
_OF_NO_MODEL = "PredictFunction"


def seconds_between(expression: str) -> float:
    """Compute how far apart a schedule's moments are. Raises ValueError for what is not understood.

    >>> [seconds_between(one) for one in ("rate(15 minutes)", "cron(15 2 * * ? *)", "cron(4/5 * * * ? *)")]
    [900.0, 86400.0, 300.0]
    """
    if found := _RATE.fullmatch(expression):
        return int(found[1]) * _SECONDS[found[2]]
    if (found := _CRON.fullmatch(expression)) and not (found[2] and (60 % int(found[2]) or found[3] != "*")):
        if found[2]:
            return 60.0 * int(found[2])
        return HOUR if found[3] == "*" else DAY
    msg = f"not understood: {expression}"
    raise ValueError(msg)


def minutes_of(expression: str) -> frozenset[int]:
    """Compute in which minutes of an hour a schedule may tick; the deployment's moment decides those of a rate.

    >>> sorted(minutes_of("cron(3/15 * * * ? *)")), len(minutes_of("rate(1 hour)"))
    ([3, 18, 33, 48], 60)
    """
    seconds = seconds_between(expression)
    if found := _CRON.fullmatch(expression):
        return frozenset(range(int(found[1]), 60, int(min(seconds, HOUR) // 60)))
    return frozenset(range(60))


def most_at_a_tick(deployment: Deployment, models: int) -> int:
    """Count the invocations that the schedules of one minute ask for: one a model, and one that starts these.

    Of a single model no invocation is started: it is worked on at once.
    """
    each = models + (models > 1)
    keeping_warm = deployment.resources[_OF_NO_MODEL]["Arn"]
    ticks = [0] * 60
    for schedule in deployment.of("AWS::Scheduler::Schedule").values():
        for minute in minutes_of(schedule["ScheduleExpression"]):
            ticks[minute] += 1 if schedule["Target"]["Arn"] == keeping_warm else each
    return max(ticks)
