from shared.monitoring.check import Verdict
from shared.monitoring.measurement import COUNT, SECONDS, Measurement
from shared.monitoring.watched import drift_measurements, with_overall


def number(name: str, value: float, **dimensions: str) -> Measurement:
    return Measurement(name=name, value=value, unit=SECONDS, dimensions=dimensions)


def test_of_each_watched_metric_the_largest_is_published_last_and_without_dimensions() -> None:
    published = [
        number("LabelAgeSeconds", 7, Model="bike"),
        number("LabelAgeSeconds", 60, Model="car"),
        *drift_measurements("bike", "v1", Verdict.OK),
        *drift_measurements("car", "v7", Verdict.DRIFT),
        Measurement(name="MaturedLabels", value=9, unit=COUNT, dimensions={"Model": "bike"}),
    ]
    assert with_overall(published) == [
        *published,
        Measurement(name="DriftDetected", value=1.0),
        Measurement(name="LabelAgeSeconds", value=60, unit=SECONDS),
    ]


def test_where_nothing_was_measured_nothing_is_published() -> None:
    assert with_overall([]) == []


def test_drift_is_told_of_the_version_and_of_the_model() -> None:
    of_version, of_model = drift_measurements("bike", "v1", Verdict.INSUFFICIENT)
    assert (of_version.dimensions, of_version.value) == ({"Model": "bike", "ModelVersion": "v1"}, 0.0)
    assert (of_model.dimensions, of_model.value) == ({"Model": "bike"}, 0.0)
