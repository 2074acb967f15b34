"""Trigger states as plain values, for the table they are kept in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hindsight.core.times import format_time, parse_time
from hindsight.triggers.signal import Signal, SignalKind
from hindsight.triggers.state import Demand, OpenRun, RunOutcome, Suppression, TriggerState

_TIMES = ("last_run_started_at", "last_concluded_at", "last_snapshot_as_of", "rolled_back_at")
_PLAIN = ("fencing_token", "last_fired_id", "consecutive_rejections", "consecutive_rollbacks", "last_dataset_id")


def state_to_row(state: TriggerState) -> dict[str, Any]:
    """Return the state as plain values, its version as ``state_version``."""
    suppression = state.last_suppression
    return {
        "state_version": state.version,
        **{name: getattr(state, name) for name in _PLAIN},
        **{name: _text(getattr(state, name)) for name in _TIMES},
        "demand": _demand_to_row(state.demand),
        "open_run": _run_to_row(state.open_run) if state.open_run else None,
        "run_starts": [format_time(start) for start in state.run_starts],
        "last_outcome": state.last_outcome,
        "last_suppression": suppression
        and {"suppressed_by": suppression.suppressed_by, "signals": list(suppression.signals)},
    }


def state_from_row(model: str, row: Mapping[str, Any]) -> TriggerState:
    """Return the state that ``state_to_row`` wrote."""
    suppression = row.get("last_suppression")
    plain: dict[str, Any] = {name: row[name] for name in _PLAIN if name in row}
    times: dict[str, Any] = {name: parse_time(row[name]) for name in _TIMES if name in row}
    return TriggerState(
        model=model,
        version=row["state_version"],
        **plain,
        **times,
        demand=_demand_from_row(row["demand"]),
        open_run=_run_from_row(row["open_run"]) if "open_run" in row else None,
        run_starts=tuple(map(parse_time, row["run_starts"])),
        last_outcome=RunOutcome(row["last_outcome"]) if "last_outcome" in row else None,
        last_suppression=suppression
        and Suppression(
            suppressed_by=suppression["suppressed_by"], signals=tuple(map(SignalKind, suppression["signals"]))
        ),
    )


def _run_to_row(run: OpenRun) -> dict[str, Any]:
    return {
        "decision_id": run.decision_id,
        "fencing_token": run.fencing_token,
        "started_at": format_time(run.started_at),
        "lease_expires_at": format_time(run.lease_expires_at),
        "reason": run.reason,
        "serving": _demand_to_row(run.serving),
    }


def _run_from_row(row: Mapping[str, Any]) -> OpenRun:
    return OpenRun(
        decision_id=row["decision_id"],
        fencing_token=row["fencing_token"],
        started_at=parse_time(row["started_at"]),
        lease_expires_at=parse_time(row["lease_expires_at"]),
        reason=row["reason"],
        serving=_demand_from_row(row["serving"]),
    )


def _demand_to_row(demand: Demand) -> list[dict[str, Any]]:
    return [demand[kind].to_json() for kind in sorted(demand)]


def _demand_from_row(rows: list[dict[str, Any]]) -> Demand:
    signals = map(Signal.from_json, rows)
    return {signal.kind: signal for signal in signals}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
