"""``make chaos``: seeded days on which everything fails, and what was lost, doubled or missing in the end."""

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.chaos.apps import Apps, NotAcknowledged
from bench.chaos.faults import Faults
from bench.chaos.reconcile import Account, read_reality, reconcile
from bench.chaos.stack import ChaosStack, chaos_stack, wait_until
from bench.chaos.traffic import END, START, Traffic, configuration
from bench.figures import publish

OUT = Path("out/chaos/summary.json")
SEEDS, EVENTS, SHARE = 20, 5000, 0.06
# The emulator is stopped and started again at the last of them.
_SEEDS_A_STACK = 5
COUNTED = ("sent", "acknowledged", "stored", "labelled", "quarantined", "lost", "doubled", "missing")
# Services that answer no call for a while; what depends on them waits, or is delivered again.
OUTAGES = ("dynamodb", "s3", "firehose")
_OUTAGE_SECONDS = 1.5
_PAUSE_SECONDS = (0.7, 2.5)
_DISTURBED_SECONDS = 15.0
_DRAIN_SECONDS = 1200.0
POISON = (b"\x00\xff no line of ours", b'{"model": 7}\n[1, 2]\n"text"\n', b"\x1f\x8b not gzip")


def main(arguments: list[str] | None = None) -> int:
    """Run all seeds, print and write the figures; return 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=EVENTS, help="predictions and feedback a seed")
    parser.add_argument("--share", type=float, default=SHARE, help="of all calls that fail, outages not counted")
    asked = parser.parse_args(arguments)
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    figures = measure(seeds, asked.events, asked.share, report=lambda so_far: publish(so_far, shown, OUT))
    return int(not is_as_it_must_be(figures))


def measure(
    seeds: range, events: int, share: float = SHARE, report: Callable[[dict[str, Any]], None] = lambda _: None
) -> dict[str, Any]:
    """Measure some seeds, a model each, and ``report`` the figures so far after each.

    All that is reconciled is read in full, so that few seeds share a stack.
    """
    faults = Faults(seed=seeds.start, share=share)
    runs: list[dict[str, Any]] = []
    for first in range(0, len(seeds), _SEEDS_A_STACK):
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        try:
            with chaos_stack(folder, faults) as stack:
                for seed in seeds[first : first + _SEEDS_A_STACK]:
                    runs.append(run_seed(stack, seed, events, is_restarted=seed % _SEEDS_A_STACK == 0))
                    report(summary(runs, events, faults))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return summary(runs, events, faults)


def summary(runs: list[dict[str, Any]], events: int, faults: Faults) -> dict[str, Any]:
    """Join the figures of all ``runs``, with each of them."""
    return {
        "seeds": len(runs),
        "events": events,
        "faulted_share": round(faults.faulted_share, 4),
        **{name: sum(run[name] for run in runs) for name in COUNTED},
        "unexplained": [f"seed {run['seed']}: {what}" for run in runs for what in run["unexplained"]],
        "calls": sum(faults.calls.values()),
        "calls_by_service": dict(sorted(faults.calls.items())),
        "faults_by_kind": faults.by_kind(),
        "runs": runs,
    }


def is_as_it_must_be(figures: dict[str, Any]) -> bool:
    """Check that nothing is lost, doubled, missing or unexplained, and that enough failed."""
    is_clean = not (figures["lost"] or figures["doubled"] or figures["missing"] or figures["unexplained"])
    return is_clean and figures["acknowledged"] == figures["sent"]


def run_seed(stack: ChaosStack, seed: int, events: int, *, is_restarted: bool = False) -> dict[str, Any]:
    """Send one seed's traffic through its faults, wait until all is processed, and reconcile."""
    began, rng = time.monotonic(), random.Random(seed)
    traffic = Traffic(model=f"chaos-{seed}", seed=seed, events=events)
    stack.client.call("PUT", f"models/{traffic.model}", key="operator", json=configuration(traffic.model))
    apps = Apps(stack.api_url, stack.client.stack.keys["app"], traffic)
    disturbance = Disturbance(stack, traffic.model, random.Random(seed + 1_000_000), is_restarted=is_restarted)
    refused = []
    with disturbance:
        try:
            apps.send(rng)
        except NotAcknowledged as error:
            refused = [str(error)]
        wait_until(stack.is_idle, _DISTURBED_SECONDS)
    account = settle(stack, traffic, apps)
    account.unexplained += refused
    return {
        "seed": seed,
        **{name: getattr(account, name) for name in COUNTED},
        "unexplained": account.unexplained,
        "calls_of_apps": apps.calls,
        "disturbances": disturbance.done,
        "dead_letters_redriven": disturbance.redriven,
        "seconds": round(time.monotonic() - began, 1),
    }


def settle(stack: ChaosStack, traffic: Traffic, apps: Apps) -> Account:
    """Wait until the queues are empty and the clock has settled every label; then reconcile, again while it helps.

    Faults go on meanwhile. What streams deliver, no queue shows: it has come when nothing is amiss any more.
    """
    deadline = time.monotonic() + _DRAIN_SECONDS
    while True:
        stack.redrive()
        wait_until(stack.is_idle, max(0.0, deadline - time.monotonic()))
        _mature(stack, traffic.model)
        pack(stack, traffic.model)
        account = reconcile(traffic, apps, read_reality(stack.client, traffic.model))
        if not account.unexplained or time.monotonic() > deadline:
            return account
        time.sleep(1.0)


def _mature(stack: ChaosStack, model: str) -> None:
    """Let the clock of labels run to the end; a run of it that fails is made again, as its schedule would."""
    for _ in range(20):
        try:
            if stack.client.run_schedule("CloseWindows", END, model)["is_complete"]:
                return
        except Exception:  # noqa: BLE001  any effect of a fault
            time.sleep(0.2)


def pack(stack: ChaosStack, model: str) -> None:
    """Pack the lake's small objects, of label records too; the next run makes up for one that a fault ends."""
    with suppress(Exception):
        stack.client.run_schedule("PackObjects", START + timedelta(days=1), model)


class Disturbance:
    """The events while apps send: outages, killed workers, repeated deliveries, poison, packing, a restart."""

    def __init__(self, stack: ChaosStack, model: str, rng: random.Random, *, is_restarted: bool) -> None:
        self.done: dict[str, int] = {}
        self.redriven = 0
        self._stack, self._model, self._rng, self._is_restarted = stack, model, rng, is_restarted
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Disturbance":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._stack.faults.outages.clear()

    def _run(self) -> None:
        deeds = [self._outage, self._kill, self._deliver_again, self._poison, self._pack]
        while not self._is_over.wait(self._rng.uniform(*_PAUSE_SECONDS)):
            if self._is_restarted and "restart" not in self.done and self._stack.restart():
                self._note("restart")
            deed = self._rng.choice(deeds)
            deed()

    def _outage(self) -> None:
        service = self._rng.choice(OUTAGES)
        self._note(f"outage_of_{service}")
        self._stack.faults.outages.add(service)
        self._is_over.wait(_OUTAGE_SECONDS)
        self._stack.faults.outages.discard(service)

    def _kill(self) -> None:
        if self._stack.kill_worker(self._rng.choice):
            self._note("worker_killed")

    def _deliver_again(self) -> None:
        """Announce files to the queues once more, in another order."""
        if repeated := self._stack.announce_again(self._rng):
            self._note("files_delivered_again", repeated)

    def _poison(self) -> None:
        self._stack.poison(self._rng.choice(POISON), self._rng)
        self._note("poison")

    def _pack(self) -> None:
        self._note("packing")
        pack(self._stack, self._model)

    def _note(self, what: str, count: int = 1) -> None:
        self.done[what] = self.done.get(what, 0) + count


def shown(figures: dict[str, Any]) -> Table:
    """Format the figures as a table."""
    title = f"{figures['calls']:,} calls, {figures['faulted_share']:.1%} of them failed: " + ", ".join(
        f"{count:,} {kind}" for kind, count in figures["faults_by_kind"].items()
    )
    table = Table("seed", *COUNTED, "seconds", title=title)
    for run in figures["runs"]:
        table.add_row(str(run["seed"]), *(f"{run[name]:,}" for name in COUNTED), f"{run['seconds']:.0f}")
    table.add_row("all", *(f"{figures[name]:,}" for name in COUNTED), "", style="bold")
    return table


if __name__ == "__main__":
    sys.exit(main())
