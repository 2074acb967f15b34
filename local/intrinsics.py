"""Evaluate CloudFormation's intrinsic functions: conditions and references become values, as in a deployment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Template = dict[str, Any]

NO_VALUE = object()
# What a deployment adds to a name that the template leaves open.
_SUFFIX = "EXAMPLE1EXAMPLE1"
_TOKEN = re.compile(r"\$\{(!?)([^}]+)\}")
_OPEN_NAME_LIMIT = {"AWS::Lambda::Function": 64, "AWS::IAM::Role": 64, "AWS::SQS::Queue": 80}
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}
# The property that names a resource of a kind.
NAMES = {
    "AWS::ApiGateway::ApiKey": "Name",
    "AWS::Athena::WorkGroup": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KinesisFirehose::DeliveryStream": "DeliveryStreamName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
_ARNS = {
    "AWS::Athena::WorkGroup": "arn:{partition}:athena:{region}:{account}:workgroup/{name}",
    "AWS::CloudWatch::Alarm": "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::DynamoDB::Table": "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
    "AWS::Events::EventBus": "arn:{partition}:events:{region}:{account}:event-bus/{name}",
    "AWS::Events::Rule": "arn:{partition}:events:{region}:{account}:rule/{name}",
    "AWS::IAM::ManagedPolicy": "arn:{partition}:iam::{account}:policy/{name}",
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role/{name}",
    "AWS::KinesisFirehose::DeliveryStream": "arn:{partition}:firehose:{region}:{account}:deliverystream/{name}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "AWS::Lambda::LayerVersion": "arn:{partition}:lambda:{region}:{account}:layer:{name}:1",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{name}:*",
    "AWS::S3::Bucket": "arn:{partition}:s3:::{name}",
    "AWS::SNS::Topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "AWS::Scheduler::Schedule": "arn:{partition}:scheduler:{region}:{account}:schedule/default/{name}",
    "AWS::SecretsManager::Secret": "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
    "AWS::StepFunctions::StateMachine": "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
}
_REF_IS_ARN = {
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::LayerVersion",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
}
_NAME_ATTRIBUTES = {"Name", "QueueName", "TopicName", "RoleName"}


class UnknownIntrinsic(Exception):
    """The template uses an intrinsic function that is not evaluated here."""


@dataclass(frozen=True, slots=True)
class Place:
    """The account, region and name of a stack."""

    stack_name: str = "hindsight"
    region: str = "eu-central-1"
    account: str = "123456789012"
    stack_id: str = "0a1b2c3d-1111-2222-3333-444455556666"

    @property
    def partition(self) -> str:
        """Compute the partition of the region."""
        return next((name for start, name in _PARTITIONS.items() if self.region.startswith(start)), "aws")

    @property
    def pseudo_parameters(self) -> dict[str, str]:
        """Compute the values of the parameters that CloudFormation itself gives."""
        stack = f"stack/{self.stack_name}/{self.stack_id}"
        return {
            "AWS::StackName": self.stack_name,
            "AWS::Region": self.region,
            "AWS::AccountId": self.account,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com",
            "AWS::StackId": f"arn:{self.partition}:cloudformation:{self.region}:{self.account}:{stack}",
        }


class Evaluation:
    """The evaluation of one template for one set of parameters, at one place.

    What the template refers to although it does not exist with these parameters is noted in ``dangling``.
    """

    def __init__(self, template: Template, parameters: Mapping[str, str], place: Place) -> None:
        self._template = template
        self._place = place
        defaults = {name: found.get("Default") for name, found in template["Parameters"].items()}
        self._values: dict[str, Any] = defaults | dict(parameters) | place.pseudo_parameters
        self._conditions: dict[str, bool] = {}
        self.dangling: list[str] = []

    def holds(self, condition: str) -> bool:
        """Compute whether a condition holds."""
        if condition not in self._conditions:
            self._conditions[condition] = self._truth(self._template["Conditions"][condition])
        return self._conditions[condition]

    def exists(self, name: str) -> bool:
        """Compute whether a resource exists with these parameters."""
        condition = self._template["Resources"][name].get("Condition")
        return condition is None or self.holds(condition)

    def breaks_a_rule(self) -> bool:
        """Compute whether a rule of the template refuses the parameters."""
        return any(
            self._truth(rule.get("RuleCondition", True))
            and not all(self._truth(one["Assert"]) for one in rule["Assertions"])
            for rule in self._template.get("Rules", {}).values()
        )

    def resolve(self, value: Any) -> Any:
        """Resolve a value and all in it; what is AWS::NoValue is left out."""
        if isinstance(value, list):
            return [found for one in value if (found := self.resolve(one)) is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (key, argument) = next(iter(value.items()))
            if key == "Ref" or key.startswith("Fn::"):
                return self._call(key, argument)
        return {key: found for key, one in value.items() if (found := self.resolve(one)) is not NO_VALUE}

    def name_of(self, name: str) -> str:
        """Compute the physical name of a resource, invented where the template leaves it open."""
        resource = self._template["Resources"][name]
        kind = resource["Type"]
        given = self.resolve(resource.get("Properties", {}).get(NAMES.get(kind, ""), NO_VALUE))
        if given is not NO_VALUE:
            return str(given)
        room = _OPEN_NAME_LIMIT.get(kind, 128) - len(_SUFFIX) - 2
        stack = self._place.stack_name[: room // 2]
        return f"{stack}-{name[: room - len(stack)]}-{_SUFFIX}"

    def arn_of(self, name: str) -> str:
        """Compute the ARN of a resource, or a placeholder where its kind has none that is known here."""
        pattern = _ARNS.get(self._template["Resources"][name]["Type"])
        if pattern is None:
            return f"arn-of-{name}"
        at = {"partition": self._place.partition, "region": self._place.region, "account": self._place.account}
        return pattern.format(name=self.name_of(name), **at)

    def _call(self, key: str, argument: Any) -> Any:
        match key, argument:
            case "Ref", _:
                found = self._reference(argument)
            case "Fn::GetAtt", _:
                found = self._attribute(*(argument if isinstance(argument, list) else argument.split(".", 1)))
            case "Fn::Sub", _:
                text, names = argument if isinstance(argument, list) else (argument, {})
                found = _TOKEN.sub(lambda token: self._token(token, names), text)
            case "Fn::If", [condition, then, otherwise]:
                found = self.resolve(then if self.holds(condition) else otherwise)
            case "Fn::Join", [separator, parts]:
                found = separator.join(str(part) for part in self.resolve(parts))
            case "Fn::Select", [index, values]:
                found = self.resolve(values)[int(index)]
            case "Fn::Split", [separator, text]:
                found = str(self.resolve(text)).split(separator)
            case _:
                raise UnknownIntrinsic(f"{key} is not one of the functions that can be evaluated here")
        return found

    def _token(self, found: re.Match[str], names: Mapping[str, Any]) -> str:
        literal, token = found.groups()
        if literal:
            return f"${{{token}}}"
        if token in names:
            return str(self.resolve(names[token]))
        return str(self._attribute(*token.split(".", 1)) if "." in token else self._reference(token))

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._values:
            return self._values[name]
        self._note_dangling(name)
        kind = self._template["Resources"][name]["Type"]
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self._place.region}.amazonaws.com/{self._place.account}/{self.name_of(name)}"
        return self.arn_of(name) if kind in _REF_IS_ARN else self.name_of(name)

    def _attribute(self, name: str, attribute: str) -> Any:
        self._note_dangling(name)
        if attribute == "Arn" or (attribute == "Id" and self._template["Resources"][name]["Type"] in _REF_IS_ARN):
            return self.arn_of(name)
        if attribute == "StreamArn":
            return f"{self.arn_of(name)}/stream/2026-01-01T00:00:00.000"
        return self.name_of(name) if attribute in _NAME_ATTRIBUTES else f"{name}.{attribute}"

    def _note_dangling(self, name: str) -> None:
        if not self.exists(name):
            self.dangling.append(name)

    def _truth(self, expression: Any) -> bool:
        if isinstance(expression, bool):
            return expression
        ((key, argument),) = expression.items()
        match key:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                left, right = (str(self.resolve(side)) for side in argument)
                return left == right
            case "Fn::Not":
                return not self._truth(argument[0])
            case "Fn::And":
                return all(self._truth(one) for one in argument)
            case "Fn::Or":
                return any(self._truth(one) for one in argument)
            case _:
                raise UnknownIntrinsic(f"{key} is not one of the functions that can be evaluated here")
