import io
import zipfile

import pytest

from local.package import LayersMissing, package
from local.template import layers_of, load_template, localised, resources_of


def test_the_same_code_makes_the_same_package() -> None:
    assert package().key == package().key


def test_a_package_holds_our_code_where_the_handlers_expect_it() -> None:
    names = zipfile.ZipFile(io.BytesIO(package().content)).namelist()
    assert "functions/authorize/app.py" in names
    assert "hindsight/bootstrap/clients.py" in names
    assert {"hindsight/monitoring/drift/drift_page.html.j2", "hindsight/training/model_card/card.html.j2"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("local/")]


def test_a_layer_that_was_not_built_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr("local.package.LAYERS", tmp_path)
    with pytest.raises(LayersMissing, match="make layers"):
        package("dependencies")


def test_the_local_template_differs_in_code_and_layers_only() -> None:
    template = load_template()
    layers = ("DependenciesLayer", "ScienceLayer", "DataLayer")
    local = localised(template, {layer: {"Key": layer} for layer in layers})
    functions = resources_of(local, "AWS::Serverless::Function")
    for name, function in functions.items():
        (wanted,) = layers_of(template, name) & {"ScienceLayer", "DataLayer"} or {"DependenciesLayer"}
        assert function["Properties"].pop("CodeUri") == {"Key": wanted}
        original = template["Resources"][name]["Properties"]
        for event, event_source in function["Properties"].get("Events", {}).items():
            if "ScalingConfig" in event_source["Properties"]:
                # The embedded server compares it with a number, and takes a parameter's value for text.
                assert isinstance(event_source["Properties"].pop("ScalingConfig")["MaximumConcurrency"], int)
                del original["Events"][event]["Properties"]["ScalingConfig"]
        assert function["Properties"] == {key: original[key] for key in original if key not in {"CodeUri", "Layers"}}
    assert not resources_of(local, "AWS::Serverless::LayerVersion")
    kept = {name for name in template["Resources"] if not name.endswith("Layer")}
    assert set(local["Resources"]) == kept
