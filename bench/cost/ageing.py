"""Three months of a model's life, coarsely: the stores reach the age at which the hours that count are played.

Everything goes through the handlers: predictions, feedback, label records, packs, daily jobs. Days of which only
objects are listed have one small batch; the days that monitoring reads have one an hour, all items of the scenario.
"""

from typing import TYPE_CHECKING

from bench.cost.calendar import DAY, HOUR, schedules
from bench.cost.plain import plain_client

if TYPE_CHECKING:
    from bench.cost.play import Play

# What hourly checks read goes back so far.
DENSE_DAYS = 7
_PACKED_AFTER = 2700.0
# Of other days a hundredth of the items.
_SPARSE = 100


def age(play: "Play", first: float, last: float) -> None:
    """Let a play's account pass the days from a moment to another; nothing of it counts."""
    day = first
    while day < last:
        dense = last - day <= DENSE_DAYS * DAY
        for hour in range(24) if dense else (12,):
            if play.scenario.a_day:
                _batch(play, day + hour * HOUR, DAY / HOUR if dense else _SPARSE)
        play.account.run_until(day + DAY - 60)
        for _, arn, seconds in schedules(play.account):
            if seconds >= DAY:
                play.tick_now(arn)
        expire(play)
        day += DAY


def expire(play: "Play") -> None:
    """Remove what the lake's lifecycle removes, by the template's own rules."""
    account = play.account
    (bucket,) = account.deployment.of("AWS::S3::Bucket").values()
    client = plain_client("s3")
    for rule in bucket["LifecycleConfiguration"]["Rules"]:
        if rule["Status"] != "Enabled" or "ExpirationInDays" not in rule:
            continue
        until = account.now - int(rule["ExpirationInDays"]) * DAY
        for key, (_, at) in list(account.stored.items()):
            if key.startswith(rule.get("Prefix", "")) and at < until:
                client.delete_object(Bucket=account.bucket, Key=key)
                del account.stored[key]


def _batch(play: "Play", at: float, of_a_day: float) -> None:
    account = play.account
    account.run_until(at)
    instances = play.predicted(max(1, round(play.scenario.a_day / of_a_day)))
    account.run_until(at + 600)
    play.notified(instances)
    account.run_until(at + _PACKED_AFTER)
    for name in ("CloseWindows", "PackObjects"):
        play.tick_now(play.arn(name))
    account.run_until(account.now + 120)
