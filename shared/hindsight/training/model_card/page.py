"""A model card as an HTML page, rendered from the card alone; all data in it is escaped."""

from collections.abc import Iterator, Mapping
from typing import Any

from hindsight.config.metrics import Metric
from hindsight.monitoring.results.page import markup, number, percent, render
from hindsight.training.model_card.charts import bars, intervals, reliability_diagram

CARD_PAGE = "card.html"
_MAX_DRAWN, _MAX_LISTED = 25, 200

_ENDED = {
    "trials": "after all its trials",
    "seconds": "by its time; on another machine it may have found others",
    "too_few_rows": "before it began: too few rows came later to tell settings apart",
    "nothing_to_try": "before it began: there are no other settings to try",
}
_RECALIBRATED = {
    None: "none was better",
    "scaling": "by scaling their logarithms",
    "isotonic": "by isotonic regression",
}

Card = Mapping[str, Any]
Facts = list[tuple[str, str]]


def card_page(card: Card) -> str:
    """Render the page of a card, one HTML document that loads nothing else."""
    training, search = card["training"], card["training"]["search"]
    known = [feature for feature in card["features"] if feature["importance"] is not None]
    drawn = [(one["name"], one["importance"]["loss"], one["importance"]["spread"]) for one in known[:_MAX_DRAWN]]
    return render(
        "training/model_card/card.html.j2",
        card=card,
        header=_header(card),
        worth=_worth(card["performance"]),
        performance=[markup(chart) for chart in _performance(card)],
        slices=markup(_slices(card)),
        decided_as=["label", *(f"as {name}" for name in (card["confusion"] or {"classes": []})["classes"]), "all"],
        decisions=_decisions(card),
        calibration=_calibration(card),
        reliability=markup(reliability_diagram(card["calibration"]["bins"])) if card["calibration"] else "",
        errors=[(f"{share} of rows at most", number(value)) for share, value in (card["errors"] or {}).items()],
        importances=markup(bars(drawn, "importances")) if drawn else "",
        most_features=f", the {_MAX_DRAWN} that matter most" if len(known) > _MAX_DRAWN else "",
        features=[(feature, _range(feature)) for feature in card["features"][:_MAX_LISTED]],
        training=_training(card),
        ended=_ENDED[search["ended_by"]],
        trials=_trials(search),
        hyperparameters=[(_words(name), _setting(value)) for name, value in card["hyperparameters"].items()],
        lineage=_lineage(card),
        loss=_words(search["loss"]) if search["trials"] else "",
        metric=_words(card["metric"]),
        threshold=training["threshold"],
    )


def _header(card: Card) -> Facts:
    data, counts = card["data"], card["data"]["counts"]
    first, gap = data["first_row"] or data["window_start"], counts["dropped"].get("gap", 0)
    return [
        ("version", card["version"]),
        ("candidate", _words(card["candidate"])),
        ("task", card["task"]),
        ("trained on", f"{counts['train']['rows']:,} rows from {_moment(first)}"),
        ("tested on", f"{counts['holdout']['rows']:,} rows from {_moment(data['holdout_start'])}"),
        *([("left out", f"{gap:,} rows, not due before the holdout began")] if gap else []),
        ("window", f"reaches back to {_moment(data['window_start'])}"),
        ("labels as known", _moment(data["as_of"])),
    ]


def _worth(found: Mapping[str, Any]) -> str:
    worth = found["effective_rows"]
    return "" if worth > 0.99 * found["labels"] else f", by their weights worth {worth:,.0f}"


def _performance(card: Card) -> Iterator[str]:
    """Draw a chart of metrics from 0 to 1, one of the errors, and one of each that shares no scale."""
    rows = [(_marked(name, card["metric"]), row) for name, row in card["performance"]["metrics"].items()]
    for scale in dict.fromkeys(_scale(name) for name, _ in rows):
        yield intervals([row for row in rows if _scale(row[0]) == scale], scale)


def _scale(shown: str) -> str:
    name = shown.removesuffix(" ★").replace(" ", "_")
    if Metric(name).bounds == (0.0, 1.0):
        return "shares"
    return "errors" if name in {Metric.MAE, Metric.RMSE} else name


def _slices(card: Card) -> str:
    rows = [
        (
            f"{one['feature']} {one['value_of_feature']} ({one['labels']:,})",
            {key: one[key] for key in ("value", "lower", "upper")},
        )
        for one in card["slices"]
    ]
    return intervals(rows, "slices")


def _decisions(card: Card) -> list[tuple[str, list[int]]]:
    found = card["confusion"]
    return [] if found is None else list(zip(found["classes"], found["rows"], strict=True))


def _calibration(card: Card) -> Facts:
    found = card["calibration"]
    if found is None:
        return []
    return [
        ("expected calibration error", percent(found["error"])),
        ("by chance alone about", percent(found["by_chance"])),
        ("recalibrated", _RECALIBRATED[card["training"]["recalibration"]]),
    ]


def _range(feature: Mapping[str, Any]) -> str:
    if "categories" in feature:
        return f"{feature['categories']:,} categories"
    if "true" in feature:
        return f"{percent(feature['true'])} true"
    return f"{number(feature['least'])} to {number(feature['greatest'])}, median {number(feature['median'])}"


def _training(card: Card) -> Facts:
    training = card["training"]
    return [
        *([("pipeline", training["pipeline"])] if training["pipeline"] else []),
        ("weights of rows", _words(training["weights"])),
        *([("weights of classes", training["class_weight"])] if training["class_weight"] else []),
        ("weight halves every", training["recency_half_life"] or "never"),
        ("seed", str(card["seed"])),
        (f"{_words(card['metric'])} on the validation split", number(card["validation_score"])),
    ]


def _trials(search: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    ranked = sorted(search["trials"], key=lambda trial: (-trial["rows"], trial["loss"]))
    return [
        (_settings(trial["settings"]) + (" ★" if trial["settings"] == search["settings"] else ""), trial)
        for trial in ranked
    ]


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{_words(name)} {_setting(value)}" for name, value in settings.items()) or "the defaults"


def _lineage(card: Card) -> Facts:
    lineage = card["lineage"]
    return [
        ("data set", lineage["dataset_id"]),
        ("its digest", lineage["dataset_digest"]),
        ("decision", lineage["decision_id"]),
        ("because", lineage["reason"]),
        ("configuration revision", str(lineage["configuration_revision"])),
        ("label rules revisions", ", ".join(map(str, lineage["rules_revisions"]))),
        ("code", lineage["code_version"]),
        *card["libraries"].items(),
    ]


def _marked(name: str, judged: str) -> str:
    return f"{_words(name)} ★" if name == judged else _words(name)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _setting(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _moment(moment: str) -> str:
    return moment[:16].replace("T", " ") + " UTC"
