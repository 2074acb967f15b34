"""Quotas of an account against what the stack asks for: concurrency, memory, code storage, Firehose, API Gateway."""

from collections.abc import Iterator

from hindsight.labels.relabelling.batches import worker_count
from local.preflight.check import Account, Check, Verdict
from local.preflight.stack import living_stack, physical_id
from local.schedules import most_at_a_tick
from local.transformed import Deployment

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, read on 2026-11-30: new accounts have less of
# both, and memory is in no list of quotas that can be asked.
USUAL_CONCURRENCY = 1000
NEW_ACCOUNT_MEMORY = 3008
# What Lambda never gives away by reservation.
UNRESERVED = 100
# A table that is new has at least so many partitions, and its stream a shard for each.
STREAM_SHARDS = 4
# https://docs.aws.amazon.com/firehose/latest/dev/limits.html, read on 2026-11-30: Direct PUT, MiB and calls a second.
FIREHOSE_LARGE_REGIONS = dict.fromkeys(("us-east-1", "us-west-2", "eu-west-1"), (5, 2000))
FIREHOSE_ELSEWHERE = (1, 1000)
# A feedback event as a line of the stream, as bytes (the benchmark of joins counts the same).
BYTES_AN_EVENT = 299
# Calls a second that the API should be able to answer at once while every consumer is at work.
CALLS_AT_ONCE = 10


def check_concurrency(account: Account, deployment: Deployment) -> Iterator[Check]:
    """Check that the account runs as many functions at once as consumers, a relabelling and schedules take."""
    limits = account.client("lambda").get_account_settings()["AccountLimit"]
    limit, unreserved = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    taken, relabelling = consumers_of(deployment), relabelling_workers(deployment)
    ticking = most_at_a_tick(deployment, account.models)
    found = (
        f"{limit} at once, {unreserved} of them not reserved; the stack's consumers take up to {taken}, "
        f"a relabelling {relabelling}, and a schedule's tick {ticking} (of models: {account.models})"
    )
    if unreserved >= taken + relabelling + ticking + CALLS_AT_ONCE:
        yield Check("Lambda concurrency", Verdict.OK, found)
    else:
        yield Check(
            "Lambda concurrency",
            Verdict.WARNING,
            f"{found}, so that calls to the API would be refused (429, 500) while they are busy",
            f"ask for {USUAL_CONCURRENCY}: Service Quotas, AWS Lambda, Concurrent executions (L-B99A9384)",
        )
    reserved = sum(
        int(function.get("ReservedConcurrentExecutions", 0))
        for function in deployment.of("AWS::Lambda::Function").values()
    )
    # What the stack reserves already is among what is reserved, and is given back by the same deployment.
    free = max(0, unreserved + _reserved_already(account, deployment) - UNRESERVED)
    if reserved > free:
        found = f"the parameters reserve {reserved}; {free} can be, since Lambda keeps {UNRESERVED} for all others"
        mend = "reserve nothing, or have the account's concurrency raised first"
        yield Check("Reserved concurrency", Verdict.FAILURE, found, mend)


def _reserved_already(account: Account, deployment: Deployment) -> int:
    """Sum what the functions of the stack that is there reserve."""
    name, total = deployment.place.stack_name, 0
    if living_stack(account, name) is None:
        return 0
    for logical, function in deployment.of("AWS::Lambda::Function").items():
        if "ReservedConcurrentExecutions" in function and (made := physical_id(account, name, logical)) is not None:
            held = account.client("lambda").get_function_concurrency(FunctionName=made)
            total += int(held.get("ReservedConcurrentExecutions", 0))
    return total


def check_memory(account: Account, deployment: Deployment) -> Iterator[Check]:
    """Check that no function asks for more memory than a new account gives."""
    functions = deployment.of("AWS::Lambda::Function")
    largest = max(int(function.get("MemorySize", 128)) for function in functions.values())
    concurrency = account.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    found = f"the largest function asks for {largest} MB"
    if largest <= NEW_ACCOUNT_MEMORY:
        yield Check("Lambda memory", Verdict.OK, found)
    elif concurrency < USUAL_CONCURRENCY:
        found += f", and an account as new as this one (concurrency {concurrency}) gives at most {NEW_ACCOUNT_MEMORY}"
        mend = f"deploy with WorkMemory={NEW_ACCOUNT_MEMORY}; only a support case raises it"
        yield Check("Lambda memory", Verdict.FAILURE, found, mend)
    else:
        found += f"; new accounts give at most {NEW_ACCOUNT_MEMORY}, and no call shows whether this one still does"
        mend = f"if CloudFormation refuses MemorySize, deploy with WorkMemory={NEW_ACCOUNT_MEMORY}"
        yield Check("Lambda memory", Verdict.WARNING, found, mend)


def check_code_storage(account: Account, _deployment: Deployment) -> Iterator[Check]:
    """Check that the region has room for the stack's layers and functions."""
    settings = account.client("lambda").get_account_settings()
    free = settings["AccountLimit"]["TotalCodeSize"] - settings["AccountUsage"]["TotalCodeSize"]
    # Three layers beside the code, zipped; an update holds the layers of before until it is done.
    needed = 2 * 150 * 1024**2
    found = f"{free / 1024**3:.1f} GiB of code storage are free"
    if free >= needed:
        yield Check("Code storage", Verdict.OK, found)
    else:
        mend = "delete versions that nothing uses, or raise Function and layer storage (L-2ACBD22F)"
        yield Check("Code storage", Verdict.FAILURE, f"{found}, and a deployment takes up to 0.3", mend)


def check_firehose(_account: Account, deployment: Deployment) -> Iterator[Check]:
    """Check what Firehose takes a second against what apps are allowed to send."""
    region = deployment.place.region
    mebibytes, requests = FIREHOSE_LARGE_REGIONS.get(region, FIREHOSE_ELSEWHERE)
    events = int(mebibytes * 1024**2 / BYTES_AN_EVENT)
    allowed = max(int(plan["Throttle"]["RateLimit"]) for plan in deployment.of("AWS::ApiGateway::UsagePlan").values())
    found = (
        f"{requests:,} requests and {mebibytes} MiB a second in {region} unless they were raised: so many calls with "
        f"feedback, about {events:,} events; apps may make {allowed:,} calls, each of up to 500 events"
    )
    if allowed <= min(events, requests):
        yield Check(
            "Firehose rate", Verdict.OK, f"{found}. Beyond it feedback is answered 503, and is to be sent again"
        )
    else:
        mend = "lower AppRequestsPerSecond, or have the stream's quotas raised (Support Center, Firehose limits)"
        yield Check("Firehose rate", Verdict.WARNING, found, mend)


def check_api_gateway(account: Account, deployment: Deployment) -> Iterator[Check]:
    """Check that the account's throttle lets through what the stack allows its apps."""
    limit = account.client("apigateway").get_account()["throttleSettings"]["rateLimit"]
    allowed = max(float(plan["Throttle"]["RateLimit"]) for plan in deployment.of("AWS::ApiGateway::UsagePlan").values())
    found = f"{limit:,.0f} calls a second in the region; apps are allowed {allowed:,.0f}"
    if allowed <= limit:
        yield Check("API Gateway throttle", Verdict.OK, found)
    else:
        mend = "lower AppRequestsPerSecond, or raise Throttle rate (L-8A5B8E43) of API Gateway"
        yield Check("API Gateway throttle", Verdict.WARNING, found, mend)


def consumers_of(deployment: Deployment) -> int:
    """Count the invocations that streams and queues may hold at once."""
    total = 0
    for mapping in deployment.of("AWS::Lambda::EventSourceMapping").values():
        scaling = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        total += int(scaling) if scaling else STREAM_SHARDS * int(mapping.get("ParallelizationFactor", 1))
    return total


def relabelling_workers(deployment: Deployment) -> int:
    """Count the invocations that one relabelling may hold at once."""
    function = deployment.of("AWS::Lambda::Function")["CoordinateRelabellingFunction"]
    return worker_count(int(function["Environment"]["Variables"]["CONSUMER_CONCURRENCY"]))
