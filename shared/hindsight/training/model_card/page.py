"""A model card as a page for a person; everything in it comes from the card, and what came from outside is escaped."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from hindsight.config.metrics import Metric
from hindsight.monitoring.results.page import document, facts, number, percent, table
from hindsight.training.model_card.charts import bars, intervals, reliability_diagram

CARD_PAGE = "card.html"
_MOST_DRAWN, _MOST_LISTED = 25, 200

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


def card_page(card: Card) -> str:
    """Return the page of a card, one HTML document that needs nothing else."""
    sections = [
        _header(card),
        *_section("How well it does", _performance(card)),
        *_section("Slices", _slices(card)),
        *_section("What is decided", _confusion(card)),
        *_section("Are scores probabilities?", _calibration(card)),
        *_section("Errors", _errors(card)),
        *_section("Features", _features(card)),
        *_section("How it was trained", _training(card)),
        *_section("What it was made from", _lineage(card)),
    ]
    return document(f"Model card of {card['model']}, {card['version']}", sections)


def _section(title: str, body: str) -> list[str]:
    return [f"<h2>{title}</h2>", f'<div class="card">{body}</div>'] if body else []


def _header(card: Card) -> str:
    data, counts = card["data"], card["data"]["counts"]
    first = data["first_row"] or data["window_start"]
    told = facts(
        [
            ("version", card["version"]),
            ("candidate", _words(card["candidate"])),
            ("task", card["task"]),
            (
                "trained on",
                f"{counts['train']['rows']:,} rows from {_moment(first)}",
            ),
            ("tested on", f"{counts['holdout']['rows']:,} rows from {_moment(data['holdout_start'])}"),
            ("window", f"reaches back to {_moment(data['window_start'])}"),
            ("labels as known", _moment(data["as_of"])),
        ]
    )
    sentences = "".join(f"<li>{escape(sentence)}</li>" for sentence in card["limits"])
    return (
        f'<header class="card"><h1>{escape(card["model"])}</h1>{told}</header>'
        f'<h2>Limits</h2><div class="card"><ul style="margin: 0; padding-left: 1.1rem">{sentences}</ul></div>'
    )


def _performance(card: Card) -> str:
    found = card["performance"]
    rows = [(_marked(name, card["metric"]), row) for name, row in found["metrics"].items()]
    worth = found["effective_rows"]
    weighed = "" if worth > 0.99 * found["labels"] else f", by their weights worth {worth:,.0f}"
    return (
        f'<p class="soft">On the {found["labels"]:,} labels of the holdout{weighed}, which training never saw, '
        f"with {found['confidence']:.0%} intervals. ★ is what the gate judges by.</p>{_grouped(rows)}"
    )


def _grouped(rows: list[tuple[str, Mapping[str, float | None]]]) -> str:
    """Return a chart of what always lies from 0 to 1, one of the errors, and one of each that shares no scale."""
    return "".join(
        intervals([row for row in rows if _scale(row[0]) == scale], scale)
        for scale in dict.fromkeys(_scale(name) for name, _ in rows)
    )


def _scale(shown: str) -> str:
    name = shown.removesuffix(" ★").replace(" ", "_")
    if Metric(name).bounds == (0.0, 1.0):
        return "shares"
    return "errors" if name in {Metric.MAE, Metric.RMSE} else name


def _slices(card: Card) -> str:
    if not card["slices"]:
        return ""
    rows = [
        (
            f"{one['feature']} {one['value_of_feature']} ({one['labels']:,})",
            {key: one[key] for key in ("value", "lower", "upper")},
        )
        for one in card["slices"]
    ]
    return f'<p class="soft">{escape(_words(card["metric"]))} by slice; in brackets the labels.</p>' + intervals(
        rows, "slices"
    )


def _confusion(card: Card) -> str:
    found = card["confusion"]
    if found is None:
        return ""
    rows = [
        [escape(name), *(f"{count:,}" for count in counts), f"{sum(counts):,}"]
        for name, counts in zip(found["classes"], found["rows"], strict=True)
    ]
    threshold = card["training"]["threshold"]
    said = "" if threshold is None else f" A score from {threshold:g} on is decided 1."
    return f'<p class="soft">Rows by label, and as what they were decided.{said}</p>' + table(
        ["label", *(f"as {name}" for name in found["classes"]), "all"], rows
    )


def _calibration(card: Card) -> str:
    found = card["calibration"]
    if found is None:
        return ""
    chosen = card["training"]["recalibration"]
    told = facts(
        [
            ("expected calibration error", percent(found["error"])),
            ("by chance alone about", percent(found["by_chance"])),
            ("recalibrated", _RECALIBRATED[chosen]),
        ]
    )
    return told + reliability_diagram(found["bins"])


def _errors(card: Card) -> str:
    found = card["errors"]
    if found is None:
        return ""
    return '<p class="soft">How much too high its answers are, by share of the holdout.</p>' + facts(
        (f"{share} of rows at most", number(value)) for share, value in found.items()
    )


def _features(card: Card) -> str:
    known = [feature for feature in card["features"] if feature["importance"] is not None]
    drawn = [(one["name"], one["importance"]["loss"], one["importance"]["spread"]) for one in known[:_MOST_DRAWN]]
    most = f", the {_MOST_DRAWN} that matter most" if len(known) > _MOST_DRAWN else ""
    chart = (
        f'<p class="soft">By how much {escape(_words(card["metric"]))} gets worse where the values of one feature are '
        f"dealt out anew{most}, and the standard deviation over repeats.</p>{bars(drawn, 'importances')}"
        if drawn
        else ""
    )
    return chart + table(
        ["feature", "type", "missing", "values trained on"],
        (
            [escape(one["name"]), one["type"], percent(one["missing"]), _range(one)]
            for one in card["features"][:_MOST_LISTED]
        ),
    )


def _range(feature: Mapping[str, Any]) -> str:
    if "categories" in feature:
        return f"{feature['categories']:,} categories"
    if "true" in feature:
        return f"{percent(feature['true'])} true"
    return f"{number(feature['least'])} to {number(feature['greatest'])}, median {number(feature['median'])}"


def _training(card: Card) -> str:
    training, found = card["training"], card["training"]["search"]
    told = facts(
        [
            *([("pipeline", training["pipeline"])] if training["pipeline"] else []),
            ("weights of rows", _words(training["weights"])),
            *([("weights of classes", training["class_weight"])] if training["class_weight"] else []),
            ("weight halves every", training["recency_half_life"] or "never"),
            ("seed", str(card["seed"])),
            (f"{_words(card['metric'])} in split", number(card["validation_score"])),
        ]
    )
    settings = facts((_words(name), _told(value)) for name, value in card["hyperparameters"].items())
    return f"{told}{_search(found)}<h3 style='margin-top: 1.2rem'>Settings of the estimator</h3>{settings}"


def _search(found: Mapping[str, Any]) -> str:
    ended = f'<p class="soft">The search for settings ended {_ENDED[found["ended_by"]]}.</p>'
    if not found["trials"]:
        return ended
    ranked = sorted(found["trials"], key=lambda trial: (-trial["rows"], trial["loss"]))
    rows = [
        [
            escape(_settings(trial["settings"])) + (" ★" if trial["settings"] == found["settings"] else ""),
            f"{trial['rows']:,}",
            f"{trial['loss']:.5f}",
        ]
        for trial in ranked
    ]
    return ended + table(["tried (★ taken)", "rows", _words(found["loss"])], rows)


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{_words(name)} {_told(value)}" for name, value in settings.items()) or "the defaults"


def _lineage(card: Card) -> str:
    lineage = card["lineage"]
    pairs: Iterable[tuple[str, str]] = [
        ("data set", lineage["dataset_id"]),
        ("its digest", lineage["dataset_digest"]),
        ("decision", lineage["decision_id"]),
        ("because", lineage["reason"]),
        ("configuration revision", str(lineage["configuration_revision"])),
        ("label rules revisions", ", ".join(map(str, lineage["rules_revisions"]))),
        ("code", lineage["code_version"]),
        *card["libraries"].items(),
    ]
    return facts(pairs)


def _marked(name: str, judged: str) -> str:
    return f"{_words(name)} ★" if name == judged else _words(name)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _told(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _moment(moment: str) -> str:
    return moment[:16].replace("T", " ") + " UTC"
