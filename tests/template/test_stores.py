import json
from typing import Any

import pytest

from hindsight.datasets.records.athena_query import COLUMNS, TABLE
from hindsight.lake.object_store import COMPACTED
from local.template import resources_of
from local.transformed import Place, deployment


def test_the_lake_is_versioned_encrypted_private_and_tls_only(template: dict[str, Any]) -> None:
    (bucket,) = resources_of(template, "AWS::S3::Bucket").values()
    properties = bucket["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert all(properties["PublicAccessBlockConfiguration"].values())
    policy = json.dumps(template["Resources"]["LakeBucketPolicy"])
    assert "aws:SecureTransport" in policy
    assert bucket["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize(
    ("prefix", "parameter"), [("checks/", "ReportRetentionDays"), ("profiles/", "ProfileRetentionDays")]
)
def test_hourly_objects_of_the_lake_expire_within_the_limits(
    template: dict[str, Any], prefix: str, parameter: str
) -> None:
    rules = template["Resources"]["LakeBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (rule,) = [found for found in rules if found.get("Prefix") == prefix]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", {"Ref": parameter})
    days = template["Parameters"][parameter]
    assert days["MinValue"] <= days["Default"] <= days["MaxValue"]
    assert days["Default"] == 400


@pytest.mark.parametrize(
    "source", ["feedback/", "predictions/", "labels/", "compacted/", "quarantine/", "datasets/", "models/"]
)
def test_nothing_that_cannot_be_made_anew_expires(template: dict[str, Any], source: str) -> None:
    rules = template["Resources"]["LakeBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    asked_for = {"Fn::If": ["ExpiresRawData", "Enabled", "Disabled"]}
    expiring = [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule and rule["Status"] != asked_for]
    assert not any(source.startswith(prefix) for prefix in expiring)


def test_the_table_of_label_records_has_the_columns_of_the_files(template: dict[str, Any]) -> None:
    table = template["Resources"]["LabelRecordsTable"]["Properties"]["TableInput"]
    as_hive = {"VARCHAR": "string", "INTEGER": "int", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean"}
    columns = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
    assert columns == {name: as_hive[kind] for name, kind in COLUMNS.items()}
    assert table["Name"] == TABLE
    assert table["StorageDescriptor"]["Location"]["Fn::Sub"] == f"s3://${{LakeBucket}}/{COMPACTED}/"


def test_the_tables_are_on_demand_recoverable_and_forget(template: dict[str, Any]) -> None:
    for name, table in resources_of(template, "AWS::DynamoDB::Table").items():
        properties = table["Properties"]
        assert properties["BillingMode"] == "PAY_PER_REQUEST", name
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name
        assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}, name
        assert table["UpdateReplacePolicy"] == "Retain", name


@pytest.mark.parametrize("queue", ["FeedbackFilesQueue", "ImportFilesQueue", "LogObjectsQueue"])
@pytest.mark.parametrize("parameters", [{}, {"LakeBucketName": "kept-of-old"}])
def test_a_queue_of_files_takes_messages_from_the_lake_only(queue: str, parameters: dict[str, str]) -> None:
    deployed = deployment(parameters)
    lake = deployed.resources["LakeBucket"]
    assert lake["Properties"]["BucketName"] == parameters.get("LakeBucketName", "hindsight-lake-0a1b2c3d")
    (statement,) = deployed.of("AWS::SQS::QueuePolicy")[f"{queue}Policy"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == deployed.resources[queue]["Arn"]
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == lake["Arn"]


def test_a_stack_deployed_anew_under_its_name_has_a_lake_of_its_own() -> None:
    again = Place(stack_id="00000000-1111-2222-3333-444455556666")
    lakes = {deployment(place=place).resources["LakeBucket"]["Name"] for place in (Place(), again)}
    assert lakes == {"hindsight-lake-0a1b2c3d", "hindsight-lake-00000000"}


def test_remains_of_unversioned_objects_are_removed(template: dict[str, Any]) -> None:
    rules = template["Resources"]["LakeBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (everywhere,) = [rule for rule in rules if "Prefix" not in rule]
    assert everywhere["Status"] == "Enabled"
    assert everywhere["ExpiredObjectDeleteMarker"] is True
    # S3 takes the two together in no rule.
    assert not any("ExpirationInDays" in rule for rule in rules if "ExpiredObjectDeleteMarker" in rule)


def test_every_queue_the_lake_notifies_has_its_policy_first_and_a_prefix_of_its_own(template: dict[str, Any]) -> None:
    bucket = template["Resources"]["LakeBucket"]
    notified = bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    queues = [configuration["Queue"]["Fn::GetAtt"][0] for configuration in notified]
    assert set(bucket["DependsOn"]) == {f"{queue}Policy" for queue in queues}
    prefixes = [rule["Value"] for configuration in notified for rule in configuration["Filter"]["S3Key"]["Rules"]]
    assert len(prefixes) == len(notified)
    # S3 refuses filters that overlap.
    assert not any(one.startswith(other) for one in prefixes for other in prefixes if one is not other)


def test_feedback_that_cannot_be_delivered_does_not_look_like_feedback(template: dict[str, Any]) -> None:
    destination = template["Resources"]["FeedbackStream"]["Properties"]["ExtendedS3DestinationConfiguration"]
    assert destination["Prefix"].startswith("feedback/date=")
    assert not destination["ErrorOutputPrefix"].startswith("feedback/")


KEY_IF_ANY = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
KEYS: dict[str, tuple[str, ...]] = {
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
}


@pytest.mark.parametrize("kind", KEYS)
def test_every_store_of_data_is_encrypted_with_the_customer_s_key_if_there_is_one(
    template: dict[str, Any], kind: str
) -> None:
    for name, resource in resources_of(template, kind).items():
        found = resource["Properties"]
        for part in KEYS[kind]:
            found = found[part]
        assert found == KEY_IF_ANY, name


def test_without_a_key_of_the_customer_s_everything_is_encrypted_with_one_of_aws_s(template: dict[str, Any]) -> None:
    for name, queue in resources_of(template, "AWS::SQS::Queue").items():
        managed = {"Fn::If": ["HasKmsKey", {"Ref": "AWS::NoValue"}, True]}
        assert queue["Properties"]["SqsManagedSseEnabled"] == managed, name
    (bucket,) = resources_of(template, "AWS::S3::Bucket").values()
    (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    by_customer = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKeyArn"}}
    assert rule["ServerSideEncryptionByDefault"]["Fn::If"] == ["HasKmsKey", by_customer, {"SSEAlgorithm": "AES256"}]
    assert template["Globals"]["Function"]["KmsKeyArn"] == KEY_IF_ANY


def test_customer_s_key_may_be_used_only_through_the_stores_of_data(template: dict[str, Any]) -> None:
    policy = template["Resources"]["UseKeyPolicy"]
    assert policy["Condition"] == "HasKmsKey"
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Ref": "KmsKeyArn"}
    services = {via["Fn::Sub"].partition(".")[0] for via in statement["Condition"]["StringEquals"]["kms:ViaService"]}
    assert services == {"dynamodb", "firehose", "lambda", "s3", "secretsmanager", "sns", "sqs"}


def test_every_parameter_has_a_description_and_a_default(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        assert parameter["Description"], name
        assert "Default" in parameter, name


def test_records_expire_only_on_request_and_then_all_of_them(template: dict[str, Any]) -> None:
    assert template["Parameters"]["RawDataRetentionDays"]["Default"] == 0
    rules = template["Resources"]["LakeBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    asked_for = {"Fn::If": ["ExpiresRawData", "Enabled", "Disabled"]}
    assert {rule["Prefix"] for rule in rules if rule["Status"] == asked_for} == {
        f"{kind}/" for kind in ("feedback", "predictions", "labels", "compacted", "quarantine", "replayed", "imports")
    }


def test_upgrade_replaces_no_table_because_immutable_properties_stay_unchanged(
    template: dict[str, Any],
) -> None:
    for name, table in resources_of(template, "AWS::DynamoDB::Table").items():
        keys = [(key["AttributeName"], key["KeyType"]) for key in table["Properties"]["KeySchema"]]
        assert keys == [("pk", "HASH"), ("sk", "RANGE")], name
        assert "TableName" not in table["Properties"], name
        assert "LocalSecondaryIndexes" not in table["Properties"], name
