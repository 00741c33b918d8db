"""template.yaml as a stack would have it: parameters at their defaults, every reference a concrete name or ARN."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from cfnlint.decode import decode  # type: ignore[import-untyped]

ROOT: Final = Path(__file__).parents[2]
REGION: Final = "eu-central-1"
ACCOUNT: Final = "123456789012"
NAME: Final = "test"

PSEUDO_PARAMETERS: Final = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": NAME,
    "AWS::URLSuffix": "amazonaws.com",
}
ARNS: Final = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}:*",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{name}",
    "AWS::Serverless::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
}

Json = Mapping[str, Any]


class Stack:
    def __init__(self, template: Json, **parameters: str) -> None:
        self.template = template
        self._parameters = {
            name: str(parameters.get(name, parameter.get("Default"))) for name, parameter in template["Parameters"].items()
        }

    @classmethod
    def read(cls, path: Path = ROOT / "template.yaml", **parameters: str) -> Self:
        template, problems = decode(str(path))
        assert not problems, problems
        return cls(json.loads(json.dumps(template)), **parameters)

    @property
    def resources(self) -> Json:
        return dict(self.template["Resources"])

    def of_type(self, kind: str) -> dict[str, Json]:
        """Return the properties of each resource of one type."""
        return {name: resource["Properties"] for name, resource in self.resources.items() if resource["Type"] == kind}

    @property
    def tables(self) -> dict[str, Json]:
        return self.of_type("AWS::DynamoDB::Table")

    @property
    def queues(self) -> dict[str, Json]:
        return self.of_type("AWS::SQS::Queue")

    @property
    def functions(self) -> dict[str, Json]:
        """Return the functions' properties, with what Globals gives each."""
        given = self.template["Globals"]["Function"]
        return {
            name: {"Events": {}, **given, **properties}
            for name, properties in self.of_type("AWS::Serverless::Function").items()
        }

    def own_variables(self, function: str) -> Json:
        """Return the environment variables that the function itself asks for."""
        return dict(self.of_type("AWS::Serverless::Function")[function].get("Environment", {}).get("Variables", {}))

    @property
    def shared_variables(self) -> Json:
        """Return the environment variables that Globals gives every function."""
        return dict(self.template["Globals"]["Function"]["Environment"]["Variables"])

    def environment(self, function: str) -> dict[str, str]:
        variables = {**self.shared_variables, **self.own_variables(function)}
        return {name: str(self.resolve(value)) for name, value in variables.items()}

    def statements(self, function: str) -> list[Json]:
        """Return the statements of the function's policies, resolved."""
        role = self.functions[function]["Role"]["Fn::GetAtt"][0]
        documents = [policy["PolicyDocument"] for policy in self.resources[role]["Properties"]["Policies"]]
        resolved = [self.resolve(statement) for document in documents for statement in document["Statement"]]
        return [statement for statement in resolved if statement is not None]

    def physical_name(self, resource: str) -> str:
        return f"{NAME}-{resource}"

    def arn(self, resource: str) -> str:
        kind = self.resources[resource]["Type"]
        return ARNS[kind].format(region=REGION, account=ACCOUNT, name=self.physical_name(resource))

    def resolve(self, value: Any) -> Any:
        """Put names, ARNs and texts in the place of what the template computes, however deep it stands."""
        match value:
            case {"Ref": str(name), **rest} if not rest:
                return self._ref(name)
            case dict() if any(name.startswith("Fn::") for name in value):
                [(function, argument)] = value.items()
                return self._computed(function.removeprefix("Fn::"), argument)
            case dict():
                return {name: self.resolve(part) for name, part in value.items()}
            case list():
                return [self.resolve(part) for part in value]
        return value

    def _computed(self, function: str, argument: Any) -> Any:
        match function, argument:
            case "GetAtt", [str(name), str(attribute)]:
                return self._attribute(name, attribute)
            case "Sub", str(text):
                return self._filled(text, {})
            case "Sub", [str(text), dict(names)]:
                return self._filled(text, {name: str(self.resolve(part)) for name, part in names.items()})
            case "If", [str(name), then, otherwise]:
                return self.resolve(then if self._holds(self.template["Conditions"][name]) else otherwise)
            case "Select", [int(place), parts]:
                return self.resolve(parts)[place]
            case "Split", [str(mark), text]:
                return self.resolve(text).split(mark)
        raise AssertionError(f"this test cannot resolve {function} of {argument} yet")

    def _filled(self, text: str, known: Mapping[str, str]) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda found: known.get(found[1]) or self._substituted(found[1]), text)

    def _holds(self, condition: Json) -> bool:
        match condition:
            case {"Fn::Not": [dict(inner)]}:
                return not self._holds(inner)
            case {"Fn::Equals": [left, right]}:
                return bool(self.resolve(left) == self.resolve(right))
        raise AssertionError(f"this test does not know the condition {condition}")

    def _substituted(self, name: str) -> str:
        resource, dot, attribute = name.partition(".")
        return self._attribute(resource, attribute) if dot else str(self._ref(name))

    def _ref(self, name: str) -> str | None:
        if name == "AWS::NoValue":
            return None
        if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        if name in self._parameters:
            return self._parameters[name]
        match self.resources[name]["Type"]:
            case "AWS::SQS::Queue":
                return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.physical_name(name)}"
            case "AWS::SNS::Topic":
                return self.arn(name)
        return self.physical_name(name)

    def _attribute(self, resource: str, attribute: str) -> str:
        match attribute:
            case "Arn":
                return self.arn(resource)
            case "QueueName":
                return self.physical_name(resource)
            case "StreamArn":
                return f"{self.arn(resource)}/stream/2026-11-24T00:00:00.000"
            case "FunctionUrl":
                assert "FunctionUrlConfig" in self.resources[resource.removesuffix("Url")]["Properties"]
                return f"https://{resource.lower()}.lambda-url.{REGION}.on.aws/"
        raise AssertionError(f"this test cannot resolve {resource}.{attribute} yet")
