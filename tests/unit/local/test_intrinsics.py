from typing import Any

import pytest

from local.intrinsics import NO_VALUE, Evaluation, Place, UnknownIntrinsic

TEMPLATE: dict[str, Any] = {
    "Parameters": {"Key": {"Type": "String", "Default": ""}, "Days": {"Type": "Number", "Default": 0}},
    "Conditions": {
        "HasKey": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Key"}, ""]}]},
        "Keeps": {"Fn::Equals": [{"Ref": "Days"}, 0]},
        "Both": {"Fn::And": [{"Condition": "HasKey"}, {"Condition": "Keeps"}]},
    },
    "Rules": {
        "KeyedForgets": {
            "RuleCondition": {"Fn::Equals": [{"Ref": "Key"}, "k"]},
            "Assertions": [{"Assert": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Days"}, "0"]}]}}],
        }
    },
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Condition": "HasKey", "Properties": {}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${AWS::StackName}-lake"}}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {}},
    },
}


def evaluation(place: Place | None = None, **parameters: str) -> Evaluation:
    return Evaluation(TEMPLATE, parameters, place or Place(stack_name="s"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Days"}, 0),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::s-lake"),
        ({"Fn::Sub": "${Bucket.Arn}/${!Token}/*"}, "arn:aws:s3:::s-lake/${Token}/*"),
        ({"Fn::Sub": ["${Name}-${AWS::Region}", {"Name": {"Ref": "Bucket"}}]}, "s-lake-eu-central-1"),
        ({"Fn::Join": [",", ["a", {"Ref": "AWS::NoValue"}, "b"]]}, "a,b"),
        ({"Fn::Select": [1, {"Fn::Split": ["-", "a-b"]}]}, "b"),
        ({"Fn::If": ["HasKey", "yes", "no"]}, "no"),
        ({"kept": 1, "left": {"Ref": "AWS::NoValue"}}, {"kept": 1}),
        ([{"Fn::If": ["HasKey", "x", {"Ref": "AWS::NoValue"}]}, "y"], ["y"]),
    ],
)
def test_functions_become_values(value: Any, expected: Any) -> None:
    assert evaluation().resolve(value) == expected


def test_reference_to_no_value_keeps_the_marker() -> None:
    assert evaluation().resolve({"Ref": "AWS::NoValue"}) is NO_VALUE


def test_conditions_hold_by_the_parameters() -> None:
    assert [evaluation(Key="k").holds(name) for name in ("HasKey", "Keeps", "Both")] == [True, True, True]
    assert not evaluation().holds("Both")


def test_rule_refuses_values_that_fail_its_assertion() -> None:
    assert evaluation(Key="k").breaks_a_rule()
    assert not evaluation(Key="k", Days="3").breaks_a_rule()
    assert not evaluation().breaks_a_rule()


def test_reference_to_a_missing_resource_is_noted() -> None:
    found = evaluation()
    found.resolve({"Fn::GetAtt": ["Queue", "Arn"]})
    assert found.dangling == ["Queue"]
    kept = evaluation(Key="k")
    kept.resolve({"Ref": "Queue"})
    assert not kept.dangling


@pytest.mark.parametrize("stack", ["s", "s" * 128])
def test_names_that_the_template_leaves_open_fit(stack: str) -> None:
    name = evaluation(Place(stack_name=stack)).name_of("Function")
    assert name.startswith("s")
    assert len(name) <= 64


def test_function_that_is_not_known_is_not_guessed() -> None:
    with pytest.raises(UnknownIntrinsic, match="Fn::ImportValue"):
        evaluation().resolve({"Fn::ImportValue": "x"})
