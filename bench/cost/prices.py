"""The price list, and what quantities come to."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("prices.json")


@cache
def price_list() -> dict[str, Any]:
    """Load the dated price list."""
    found: dict[str, Any] = json.loads(LIST.read_text(encoding="utf-8"))
    return found


def lines(quantities: Mapping[str, float]) -> dict[str, float]:
    """Compute dollars by line of the table. Raises KeyError for a quantity without a price."""
    prices = price_list()["prices"]
    totals = dict.fromkeys((price["line"] for price in prices.values()), 0.0)
    for name, quantity in quantities.items():
        totals[prices[name]["line"]] += quantity * prices[name]["dollars"]
    return totals


def free_each_month(quantities: Mapping[str, float]) -> float:
    """Compute what the allowances that do not end take off in an account that has nothing else."""
    free, prices = price_list()["free_each_month"], price_list()["prices"]
    return sum(
        min(quantity, float(free[name])) * float(prices[name]["dollars"])
        for name, quantity in quantities.items()
        if name in free
    )
