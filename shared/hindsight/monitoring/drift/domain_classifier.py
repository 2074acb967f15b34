"""A domain classifier of training against window: it can detect drift of features that moved only together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from hindsight.config.features import Feature, FeatureType
from hindsight.config.model import ModelConfiguration
from hindsight.monitoring.drift.significance import Comparisons, suspicion
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.page import chance, number
from hindsight.profiles.distribution import Floats
from hindsight.profiles.profile import Profile
from hindsight.profiles.reading import as_numbers, group_texts

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

Row = Mapping[str, Any]
Integers = npt.NDArray[np.int64]

MIN_ROWS = 200
FOLDS = 3
_MAX_CATEGORIES = 254
_MAX_SHUFFLED = 60
_WORTH_TELLING = 0.01
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainReport:
    """The result of the classifier; ``importance`` is by how much the AUC falls without each feature."""

    verdict: Verdict
    reason: str
    reference_rows: int
    rows: int
    limit: float
    auc: float | None = None
    p_value: float | None = None
    corrected_p_value: float | None = None
    importance: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_large(self) -> bool:
        """True if the classifier separates as well as the limit."""
        return self.auc is not None and self.auc >= self.limit


@dataclass(frozen=True, slots=True, eq=False)
class Separation:
    """The ROC AUC over held-out rows, its p-value, and by how much it falls where one feature's values are shuffled."""

    auc: float
    p_value: float
    importance: Mapping[str, float]


def measure_domain(reference: Profile, window: Profile, configuration: ModelConfiguration) -> DomainReport:
    """Measure the separation of the sampled rows of training and window, which ``judge_domain`` judges.

    Insufficient, with the reason, where there are too few rows or no features.
    """
    features = {
        name: feature
        for name, feature in configuration.features.items()
        if _known_throughout(reference, name, feature) and _known_throughout(window, name, feature)
    }
    of_training, of_window = reference.sample.even_rows, window.sample.even_rows
    trained, served = len(of_training), len(of_window)
    report = DomainReport(
        verdict=Verdict.INSUFFICIENT,
        reason=f"{trained} rows of the training and {served} of the window, {MIN_ROWS} of each needed",
        reference_rows=trained,
        rows=served,
        limit=configuration.monitoring.drift.multivariate_auc,
    )
    if not features:
        return replace(report, reason="no feature can be compared with the training reference")
    if min(trained, served) < MIN_ROWS:
        return report
    found = separate(
        [row["features"] for row in of_training],
        [row["features"] for row in of_window],
        features,
        seed=configuration.training.seed,
    )
    return replace(
        report, verdict=Verdict.OK, reason="", auc=found.auc, p_value=found.p_value, importance=dict(found.importance)
    )


def judge_domain(measured: DomainReport, comparisons: Comparisons) -> DomainReport:
    """Judge a separation, by all comparisons of its check."""
    if measured.auc is None or measured.p_value is None:
        return measured
    corrected, is_large = comparisons.corrected(measured.p_value), measured.is_large
    verdict = comparisons.verdict(corrected, is_large=is_large)
    judged = replace(measured, verdict=verdict, corrected_p_value=corrected)
    if verdict is Verdict.OK:
        return judged
    state = "" if verdict is Verdict.DRIFT else f"{suspicion(is_large=is_large)}; "
    numbers = f"AUC {measured.auc:.3f}, limit {measured.limit:g}; corrected p {chance(corrected)}"
    reason = f"a classifier separates the window's rows from the training's ({state}{numbers}"
    return replace(judged, reason=f"{reason}, level {number(comparisons.level)})")


def separate(
    reference: Sequence[Row], window: Sequence[Row], features: Mapping[str, Feature], *, seed: int
) -> Separation:
    """Measure how well a classifier separates rows of the training (values by feature) from rows of the window.

    A classifier two-sample test (Lopez-Paz & Oquab, 2017; Rabanser, Günnemann & Lipton, "Failing Loudly", 2019):
    gradient boosting by three-fold cross-validation, each row scored by a model that has not seen it. In each fold
    Mann and Whitney's statistic, the number of pairs in the right order, is normal with the null variance
    ``n m (n + m + 1) / 12``, which is larger than the truth under ties. Folds share most of their training rows, and
    so their luck: the p-value is three times the least of theirs (Bonferroni), not that of their sum, which
    is too small (simulated: 0.08 of the runs below 0.05). One-sided: only an AUC above 0.5 is evidence.
    """
    # Slow to import, and most checks never need it.
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    values = _matrix([*reference, *window], features)
    is_current = np.repeat([0, 1], [len(reference), len(window)])
    folds, lost = list[_Fold](), dict[int, float]()
    with threadpool_limits(1):  # for so few rows threads cost more time than they save
        for seen, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(values, is_current):
            model = _classifier(features, seed).fit(values[seen], is_current[seen])
            folds.append(_judge_fold(model, values[held_out], is_current[held_out]))
            # Measured once, and only where the classes separate: it costs a prediction a feature.
            if not lost and folds[-1].p_value < _WORTH_TELLING:
                lost = _importance(model, values[held_out], is_current[held_out], np.random.default_rng(seed))
    pairs = sum(fold.pairs for fold in folds)
    names = list(features)
    by_feature = sorted(((names[place], share) for place, share in lost.items()), key=lambda pair: (-pair[1], pair[0]))
    return Separation(
        auc=sum(fold.in_order for fold in folds) / pairs,
        p_value=min(1.0, FOLDS * min(fold.p_value for fold in folds)),
        importance={name: share for name, share in by_feature[:_NAMED] if share > 0.0},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fold:
    """The held-out rows' share: the number of pairs of a row of either side that are in order."""

    current: int
    reference: int
    in_order: float

    @property
    def pairs(self) -> int:
        return self.current * self.reference

    @property
    def p_value(self) -> float:
        spread = np.sqrt(self.pairs * (self.current + self.reference + 1) / 12)
        return float(ndtr((self.pairs / 2 - self.in_order) / spread))


def _judge_fold(model: "HistGradientBoostingClassifier", rows: Floats, labels: Integers) -> _Fold:
    current = int(labels.sum())
    return _Fold(current, len(labels) - current, _pairs_in_order(labels, model.predict_proba(rows)[:, 1]))


def _importance(
    model: "HistGradientBoostingClassifier", rows: Floats, labels: Integers, dice: np.random.Generator
) -> dict[int, float]:
    """Measure the loss of AUC where a feature's values are shuffled, of the columns that separate best alone."""
    whole, order = _pairs_in_order(labels, model.predict_proba(rows)[:, 1]), dice.permutation(len(rows))
    pairs = float(labels.sum()) * float(len(labels) - labels.sum())
    alone = [abs(_pairs_in_order(labels, np.nan_to_num(column)) / pairs - 0.5) for column in rows.T]
    lost = {}
    for feature in np.argsort(alone)[::-1][:_MAX_SHUFFLED].tolist():
        shuffled = rows.copy()
        shuffled[:, feature] = rows[order, feature]
        lost[feature] = (whole - _pairs_in_order(labels, model.predict_proba(shuffled)[:, 1])) / pairs
    return lost


def _known_throughout(profile: Profile, name: str, feature: Feature) -> bool:
    """Check whether all rows know a column: a new one would separate the window from the training by itself."""
    column = profile.features.get(name)
    return column is not None and column.kind is feature.type and column.rows == profile.total


def _classifier(features: Mapping[str, Feature], seed: int) -> "HistGradientBoostingClassifier":
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415

    categorical = [feature.type is FeatureType.CATEGORICAL for feature in features.values()]
    return HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=15, learning_rate=0.15, categorical_features=categorical, random_state=seed
    )


def _matrix(rows: Sequence[Row], features: Mapping[str, Feature]) -> Floats:
    """Convert rows to numbers, shape (rows, features): NaN where nothing usable is, categories by their frequency."""
    return np.column_stack(
        [_column([row.get(name) for row in rows], feature.type) for name, feature in features.items()]
    )


def _column(values: Sequence[object], kind: FeatureType) -> Floats:
    if kind is FeatureType.CATEGORICAL:
        return _codes(values)
    if kind is FeatureType.BOOLEAN:
        return np.array([float(value) if isinstance(value, bool) else np.nan for value in values])
    numbers, _ = as_numbers(values)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _codes(values: Sequence[object]) -> Floats:
    texts, places = group_texts(values)
    counts = np.bincount(places[places >= 0], minlength=len(texts))
    codes = np.full(len(texts) + 1, np.nan)  # the last one is of place -1, nothing usable
    codes[np.argsort(-counts, kind="stable")] = np.minimum(np.arange(len(texts)), _MAX_CATEGORIES)
    return codes[places]


def _pairs_in_order(labels: Integers, scores: Floats) -> float:
    """Count the pairs of a row of either side with the window's above, ties as halves: Mann–Whitney's U."""
    reference, current = np.sort(scores[labels == 0]), scores[labels == 1]
    below = np.searchsorted(reference, current, side="left") + np.searchsorted(reference, current, side="right")
    return float(below.sum() / 2)
