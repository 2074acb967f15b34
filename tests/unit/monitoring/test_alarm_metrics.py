from hindsight.monitoring.results.alarm_metrics import with_overall
from hindsight.monitoring.results.measurement import COUNT, SECONDS, Measurement


def number(name: str, value: float, **dimensions: str) -> Measurement:
    return Measurement(name=name, value=value, unit=SECONDS, dimensions=dimensions)


def test_largest_value_of_each_alarm_metric_is_published_last_without_dimensions() -> None:
    published = [
        number("LabelFreshnessSeconds", 7, Model="bike"),
        number("LabelFreshnessSeconds", 60, Model="car"),
        Measurement(name="DriftDetected", value=0.0, dimensions={"Model": "bike"}),
        Measurement(name="DriftDetected", value=1.0, dimensions={"Model": "car"}),
        Measurement(name="MaturedLabels", value=9, unit=COUNT, dimensions={"Model": "bike"}),
    ]
    assert with_overall(published) == [
        *published,
        Measurement(name="DriftDetected", value=1.0),
        Measurement(name="LabelFreshnessSeconds", value=60, unit=SECONDS),
    ]


def test_nothing_is_published_if_nothing_was_measured() -> None:
    assert with_overall([]) == []
