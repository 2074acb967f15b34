from typing import Any

import pytest

from hindsight.config.parse import configuration_digest, parse_configuration


@pytest.mark.parametrize("path", ["labels.rules.0.value", "labels.default.value", "labels.rules.0.map"])
def test_whole_number_is_the_same_label_with_and_without_a_point(path: str) -> None:
    def digest(label: float) -> str:
        labels = {"rules": [{"event": "y"}], "default": {"value": 0, "after": "P3D"}}
        sent = {"model": "m", "task": "binary", "features": {"x": {"type": "numeric"}}, "labels": labels}
        part: Any = sent
        *parents, last = path.split(".")
        for name in parents:
            part = part[int(name)] if name.isdigit() else part[name]
        part[last] = {"up": label} if last == "map" else label
        return configuration_digest(parse_configuration(sent))

    assert digest(1) == digest(1.0)
