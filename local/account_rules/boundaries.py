"""Boundaries of rights at the stack's own resources: by SAM's managed policies to functions, by its own to services.

AWS's managed policies for queues, streams and logs speak of every resource of the account. The functions' boundary
takes back what is another's, and leaves what Lambda does in the function's name. What a topic or a queue takes of a
service, it takes for resources of this stack alone.
"""

from collections.abc import Iterator

from local.rights import Role, Statement, as_list, role_of
from local.transformed import Deployment

# Actions of managed policies that AWS does not let one narrow to a resource.
WITHOUT_RESOURCE = {
    *("dynamodb:ListStreams", "xray:GetSamplingRules", "xray:GetSamplingStatisticSummaries", "xray:GetSamplingTargets"),
    *("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
}
_QUEUE = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")


def managed_policies_reach_beyond(deployment: Deployment) -> Iterator[str]:
    """List the functions to which a managed policy gives rights on other stacks' resources."""
    for name, role in _functions(deployment):
        for statement in role.managed:
            for action in statement.actions:
                if action in WITHOUT_RESOURCE:
                    continue
                foreign = _foreign(deployment, action)
                if not foreign:
                    yield f"{name}: it is not known where {action} of a managed policy ends"
                for resource in foreign:
                    if _gives(statement, action, resource) and role.may(action, resource):
                        yield f"{name}: may {action} on {resource}, which is another's"


def boundary_stands_in_the_way(deployment: Deployment) -> Iterator[str]:
    """Check that a function's boundary allows Lambda's own calls: reading its sources and writing its log."""
    mappings = deployment.of("AWS::Lambda::EventSourceMapping").values()
    for name, role in _functions(deployment):
        function = deployment.resources[name]["Properties"]
        group = _arn(deployment, "logs", f"log-group:{function['LoggingConfig']['LogGroup']}:log-stream:one")
        needed = [(action, group) for action in _LOGS]
        for mapping in mappings:
            if mapping["FunctionName"] == deployment.resources[name]["Name"]:
                source = mapping["EventSourceArn"]
                needed += [(action, source) for action in (_QUEUE if ":sqs:" in source else _STREAM)]
        for action, resource in needed:
            if not role.may(action, resource):
                yield f"{name}: may not {action} on {resource}"


def services_send_for_others(deployment: Deployment) -> Iterator[str]:
    """List the topics and queues that accept from a service what another stack's resources caused."""
    own = {one["Arn"] for one in deployment.resources.values()}
    for name, policy in deployment.of("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy").items():
        for statement in as_list(policy["PolicyDocument"]["Statement"]):
            if statement["Effect"] != "Allow":
                continue
            operators = statement.get("Condition", {}).values()
            sources = [source for keys in operators for source in as_list(keys.get("aws:SourceArn", []))]
            if not sources:
                yield f"{name}: {statement['Sid']} takes for any source"
            for source in sources:
                if source not in own:
                    yield f"{name}: {statement['Sid']} takes for {source}, which may be another stack's"


def _functions(deployment: Deployment) -> Iterator[tuple[str, Role]]:
    for name in deployment.of("AWS::Lambda::Function"):
        yield name, role_of(deployment, f"{name}Role")  # as SAM names it


def _gives(statement: Statement, action: str, resource: str) -> bool:
    return statement.effect == "Allow" and statement.speaks_of(action, resource, {})


def _foreign(deployment: Deployment, action: str) -> list[str]:
    """List resources of other stacks, above all of one whose name begins with this one's."""
    stack = deployment.place.stack_name
    others = ("elsewhere", f"{stack}-prod", f"{stack}2")
    match action.partition(":")[0]:
        case "sqs":
            return [_arn(deployment, "sqs", f"{other}-FeedbackFilesQueue-A1B2C3D4E5F6") for other in others]
        case "dynamodb":
            stream = "stream/2026-01-01T00:00:00.000"
            return [
                _arn(deployment, "dynamodb", f"table/{other}-PredictionsTable-A1B2C3D4E5F6/{stream}")
                for other in others
            ]
        case "logs":
            groups = [f"{other}{separator}predict" for other in others for separator in ("/", "-")]
            return [_arn(deployment, "logs", f"log-group:{group}:log-stream:one") for group in groups]
    return []


def _arn(deployment: Deployment, service: str, resource: str) -> str:
    place = deployment.place
    return f"arn:{place.partition}:{service}:{place.region}:{place.account}:{resource}"
