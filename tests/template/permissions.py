"""What a call to AWS needs, and what a role's statements allow: as much of IAM as this template uses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from tests.template.stack import ACCOUNT, REGION, Json, Stack
from tests.template.world import Call

AWS_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One permission.

    `via` is the service that uses a KMS key in the caller's name. The policies of the keys that AWS manages (`aws/ssm`,
    `aws/dynamodb`) let every principal of the account do so, so the role need not allow it; but it must not deny it.
    `parameter` is the ARN of the parameter that a key opens, which Parameter Store gives as the encryption context.
    """

    action: str
    resource: str
    via: str | None = None
    parameter: str | None = None
    given_by_key_policy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One action on one resource that a statement allows or denies."""

    sid: str
    action: str
    resource: str
    via: str | None
    parameter: str | None

    def covers(self, need: Need) -> bool:
        return (
            fnmatchcase(need.action.lower(), self.action.lower())
            and fnmatchcase(need.resource, self.resource)
            and self.via in {None, need.via}
            and (self.parameter is None or fnmatchcase(need.parameter or "", self.parameter))
        )


def grants(statements: Sequence[Json], effect: str) -> list[Grant]:
    return [
        Grant(sid=statement["Sid"], action=action, resource=resource, **_condition(statement))
        for statement in statements
        if statement["Effect"] == effect
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    ]


def allowed(need: Need, statements: Sequence[Json]) -> bool:
    """Say whether the statements, or the key's own policy, let `need` through. A denial outweighs everything."""
    if any(grant.covers(need) for grant in grants(statements, "Deny")):
        return False
    return need.given_by_key_policy or any(grant.covers(need) for grant in grants(statements, "Allow"))


def needs(call: Call, stack: Stack) -> Iterator[Need]:
    """Yield the permissions that AWS asks for when a function makes `call`."""
    asked = call.parameters
    match call.service, call.operation:
        case "dynamodb", "BatchGetItem":
            for table in asked["RequestItems"]:
                yield from _on_table(call.operation, table, None, stack)
        case "dynamodb", operation:
            yield from _on_table(operation, asked["TableName"], asked.get("IndexName"), stack)
        case "sqs", "SendMessageBatch":  # has no action of its own
            name = asked["QueueUrl"].rpartition("/")[2]
            yield Need(action="sqs:SendMessage", resource=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
        case "ssm", operation:
            yield from _on_parameter(operation, asked)
        case "lambda", "Invoke":
            function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{asked['FunctionName']}"
            yield Need(action="lambda:InvokeFunction", resource=function)
        case "sns", "Publish":
            yield Need(action="sns:Publish", resource=asked["TopicArn"])
            for action in ("kms:GenerateDataKey", "kms:Decrypt"):  # the topic is encrypted
                yield Need(action=action, resource=AWS_KEY, via=f"sns.{REGION}.amazonaws.com")
        case _:
            raise AssertionError(f"say here what {call.service} {call.operation} needs")


def _on_parameter(operation: str, asked: Json) -> Iterator[Need]:
    parameter = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{asked.get('Name') or asked['Path']}"
    yield Need(action=f"ssm:{operation}", resource=parameter)
    if operation == "PutParameter":
        yield _key("kms:Encrypt", "ssm", parameter)
    elif asked.get("WithDecryption"):
        yield _key("kms:Decrypt", "ssm", parameter)


def _on_table(operation: str, table: str, index: str | None, stack: Stack) -> Iterator[Need]:
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
    yield Need(action=f"dynamodb:{operation}", resource=arn if index is None else f"{arn}/index/{index}")
    properties = next(found for name, found in stack.tables.items() if stack.physical_name(name) == table)
    if properties.get("SSESpecification", {}).get("SSEEnabled"):
        # DynamoDB opens the table's key as the principal who accesses the table, so a denial in its role stops it:
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
        yield _key("kms:Decrypt", "dynamodb")


def _key(action: str, service: str, parameter: str | None = None) -> Need:
    via = f"{service}.{REGION}.amazonaws.com"
    return Need(action=action, resource=AWS_KEY, via=via, parameter=parameter, given_by_key_policy=True)


def _condition(statement: Json) -> dict[str, str | None]:
    condition = statement.get("Condition")
    match condition:
        case None:
            return {"via": None, "parameter": None}
        case {"StringEquals": {"kms:ViaService": str(service), **others}, **more} if not others and not more:
            return {"via": service, "parameter": None}
        case {"StringLike": {"kms:EncryptionContext:PARAMETER_ARN": str(name), **others}, **more} if not others and not more:
            return {"via": None, "parameter": name}
    raise AssertionError(f"this test does not know the condition {condition}")


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
