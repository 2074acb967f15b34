"""The bill of a month: what was played, scaled by the calendar, with what is billed without any call."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from bench.cost.account import Account
from bench.cost.calendar import DAY, HOUR, schedules
from bench.cost.meter import GB, Invocation, Quantities, total
from bench.cost.own_key import dollars_of_a_key, key_requests
from bench.cost.play import Play
from bench.cost.prices import free_each_month, lines
from bench.cost.scenarios import RETRAININGS_A_MONTH
from bench.cost.units import item_bytes

MONTH_DAYS, MONTH_HOURS = 30, 720
# Three months are played on paper: what is kept for good has at their middle been gathered for so long.
HALF_OF_THREE_MONTHS_DAYS = 45
# Lambda polls a queue by five at once, twenty seconds a poll.
POLLS_A_MONTH = 5 * 3 * 60 * MONTH_HOURS
ITEM_OVERHEAD_BYTES = 100  # what DynamoDB adds to each, and predictions live longer than three months

Figures = dict[str, Any]
# Dollars a month that a scenario shall not exceed, and how it is spoken of.
AIMS = {"quiet": 4, "thousand_a_day": 8, "million_single": 35, "million_batched": 12}
SUBJECTS = {
    "quiet": "Quiet stacks",
    "thousand_a_day": "Calls of 1,000 a day",
    "million_single": "A million single calls",
    "million_batched": "Full batches",
}


def month_of(play: Play, hours: int) -> Quantities:
    """Compute the quantities of a month of thirty days."""
    phases = _by_phase(play.account.meter.invocations)
    clocked = _on_the_clock(play.account)
    scaled = [*_times(phases["daily"], MONTH_DAYS), *_times(phases["retraining"], RETRAININGS_A_MONTH)]
    for phase, share in play.counted.items():
        by_clock = [one for one in phases[phase] if one.kind in clocked or one.kind.startswith("clock ")]
        by_traffic = [one for one in phases[phase] if not (one.kind in clocked or one.kind.startswith("clock "))]
        scaled += _times(by_clock, share * MONTH_HOURS / hours)
        scaled += _times(by_traffic, share * MONTH_HOURS / hours * play.whole_calls(hours, phase))
    month = total([*scaled, standing(play.account), metrics(play, hours), storage(play, hours)])
    month["traces"] = month.get("api_calls", 0.0) * _sampled(play.account)
    month["log_gb_months"] = month["log_gb"]
    return month


def own_key(play: Play, hours: int) -> Figures:
    """Derive what a key of yours adds a month, from what was used in the hours played last."""
    phases = _by_phase(play.account.meter.invocations)
    requests = (
        key_requests(phases[play.last]) * MONTH_HOURS / hours
        + key_requests(phases["daily"]) * MONTH_DAYS
        + key_requests(phases["retraining"]) * RETRAININGS_A_MONTH
    )
    return {"key_requests": round(requests), "dollars": round(dollars_of_a_key(requests), 2)}


def standing(account: Account) -> Quantities:
    """Count what the template deploys and the calendar bills."""
    deployment = account.deployment
    queues = [m for m in deployment.of("AWS::Lambda::EventSourceMapping").values() if ":sqs:" in m["EventSourceArn"]]
    return {
        "alarm_months": len(deployment.of("AWS::CloudWatch::Alarm")),
        "dashboard_months": len(deployment.of("AWS::CloudWatch::Dashboard")),
        "secret_months": len(deployment.of("AWS::SecretsManager::Secret")),
        "sqs_requests": len(queues) * POLLS_A_MONTH,
    }


def metrics(play: Play, hours: int) -> Quantities:
    """Count the custom metrics: each name with its dimensions, by the hours in which it has data."""
    first = int(play.steady // HOUR)
    steady = [one for one in play.account.meter.series if first <= one[2] < first + hours]
    # What a run publishes has its hour only.
    seldom = len(play.account.meter.of_runs) * RETRAININGS_A_MONTH / MONTH_HOURS
    return {"metric_months": len(steady) / hours + seldom}


def storage(play: Play, hours: int) -> Quantities:
    """Estimate the bytes kept on average over three months."""
    account = play.account
    days = HALF_OF_THREE_MONTHS_DAYS
    table = sum(item_bytes(item) + ITEM_OVERHEAD_BYTES for item in account.items("PredictionsTable"))
    table_gb = table / max(1, play.number) * play.scenario.a_day * days / GB
    end = play.steady + hours * HOUR
    kept = sum(size for size, at in account.stored.values() if play.steady <= at < end) * DAY / (hours * HOUR)
    gone = sum(
        size for key, size, at in account.replaced if play.steady <= at < end and not key.startswith("profiles/")
    )
    bucket = gone * DAY / (hours * HOUR) * _replaced_days(account)
    trained = ("datasets/", "models/")
    runs = sum(size for key, (size, _) in account.stored.items() if key.startswith(trained))
    return {
        "table_gb_months": table_gb,
        "backup_gb_months": table_gb,
        "s3_gb_months": (kept * days + bucket + runs * RETRAININGS_A_MONTH * 1.5) / GB,
    }


def figures(name: str, month: Mapping[str, float]) -> Figures:
    """Build a scenario's figures: dollars by line, their sum, and what the lasting free allowances take off."""
    by_line = lines(month)
    return {
        "scenario": name,
        "dollars": round(sum(by_line.values()), 2),
        "after_free_allowances": round(sum(by_line.values()) - free_each_month(month), 2),
        "lines": {line: round(dollars, 3) for line, dollars in by_line.items()},
        "quantities": {quantity: round(value, 6) for quantity, value in sorted(month.items())},
    }


def table(found: Mapping[str, Figures]) -> str:
    """Write the table of docs/figures.md."""
    heads = {
        "quiet": "quiet",
        "thousand_a_day": "1,000 a day, single calls",
        "million_single": "1 million a month, single calls",
        "million_batched": "1 million a month, full batches",
    }
    names = [name for name in heads if name in found]
    rows = [f"| dollars a month | {' | '.join(heads[name] for name in names)} |", "|---|" + "---|" * len(names)]
    for line in found[names[0]]["lines"]:
        values = [found[name]["lines"][line] for name in names]
        if max(values) >= 0.005:
            rows.append(f"| {line} | {' | '.join(f'{value:.2f}' for value in values)} |")
    sums = [f"**{found[name]['dollars']:.2f}**" for name in names]
    free = [f"{found[name]['after_free_allowances']:.2f}" for name in names]
    rows += [f"| **sum** | {' | '.join(sums)} |", f"| after free allowances that last | {' | '.join(free)} |"]
    keys = [f"{found[name]['own_key']['dollars']:.2f}" for name in names]
    rows.append(f"| beside the sum, with a key of yours (derived) | {' | '.join(keys)} |")
    return "\n".join(rows)


def aims(found: Mapping[str, Figures]) -> str:
    """Write the sentence that says which scenarios miss their aim, and by how much."""
    missed = [
        f"{SUBJECTS[name]} cost ${found[name]['dollars']:.2f} a month and miss their aim of ${aim} by "
        f"${found[name]['dollars'] - aim:.2f}"
        for name, aim in AIMS.items()
        if found[name]["dollars"] > aim
    ]
    if not missed:
        return "Every scenario meets its aim."
    others = "the other scenarios meet theirs" if len(missed) < len(AIMS) else "no scenario meets its own"
    first, *rest = missed
    return f"{', and '.join([first, *(one[0].lower() + one[1:] for one in rest)])}; {others}."


def _on_the_clock(account: Account) -> set[str]:
    """Name the functions that the clock alone calls; predict is kept warm by it, and called by apps."""
    return {account.functions[arn].name for _, arn, _ in schedules(account)} - {"Predict"}


def _by_phase(invocations: list[Invocation]) -> defaultdict[str, list[Invocation]]:
    phases: defaultdict[str, list[Invocation]] = defaultdict(list)
    for invocation in invocations:
        phases[invocation.phase].append(invocation)
    return phases


def _times(invocations: list[Invocation], factor: float) -> list[Quantities]:
    return [{name: quantity * factor for name, quantity in total(one.bill for one in invocations).items()}]


def _sampled(account: Account) -> float:
    rules = account.deployment.of("AWS::XRay::SamplingRule").values()
    return sum(float(rule["SamplingRule"]["FixedRate"]) for rule in rules)


def _replaced_days(account: Account) -> int:
    (bucket,) = account.deployment.of("AWS::S3::Bucket").values()
    rules = bucket["LifecycleConfiguration"]["Rules"]
    days = [
        int(rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
        for rule in rules
        if "NoncurrentVersionExpiration" in rule and not rule.get("Prefix")
    ]
    return max(days)


def counts(play: Play) -> dict[str, int]:
    """Count the invocations of each kind in the hours that count."""
    return dict(
        Counter(invocation.kind for invocation in play.account.meter.invocations if invocation.phase in play.counted)
    )
