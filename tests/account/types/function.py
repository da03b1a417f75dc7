"""AWS::Lambda::{Function,Url,Permission}: the function with all its settings, its own URL, and who may invoke it."""

import io
import zipfile
from base64 import b64encode
from typing import Any, Self

from moto.core.common_models import CloudFormationModel
from tests.account.moto import Backends
from tests.account.types.resource import Properties, Resource, backends, without_none


class Function(Resource, CloudFormationModel):
    """AWS::Lambda::Function; moto's own leaves out the architecture, tags and half of the changes."""

    type_name = "AWS::Lambda::Function"
    name_property = "FunctionName"
    attribute_names = frozenset({"Arn"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the function."""
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        function = moto.functions.create_function(
            {**_typed(properties), "FunctionName": name, "Code": _code(properties["Code"]), "Tags": tags}
        )
        return cls(name, properties, Arn=function.function_arn)

    def remove(self, moto: Backends) -> None:
        """Remove it."""
        moto.functions.delete_function(self.physical_resource_id)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Any:
        """Change it where it is."""
        properties = without_none(cloudformation_json["Properties"])
        function = backends(region_name).functions.get_function(original_resource.physical_resource_id)
        function.update_configuration(_typed(properties))
        function.update_function_code(_code(properties["Code"]))
        function.reserved_concurrency = properties.get("ReservedConcurrentExecutions")
        original_resource.properties = properties
        return original_resource


class Url(Resource, CloudFormationModel):
    """AWS::Lambda::Url."""

    type_name = "AWS::Lambda::Url"
    attribute_names = frozenset({"FunctionUrl", "FunctionArn"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the URL."""
        function = moto.functions.get_function(properties["TargetFunctionArn"])
        config = {
            "AuthType": properties["AuthType"],
            "Cors": properties.get("Cors"),
            "InvokeMode": properties.get("InvokeMode", "BUFFERED"),
        }
        url = function.create_url_config(config)
        url.url = url.url.rstrip("/") + "/"  # AWS's ends with a slash
        return cls(function.function_arn, properties, FunctionUrl=url.url, FunctionArn=function.function_arn)

    def remove(self, moto: Backends) -> None:
        """Remove it, if its function is still there."""
        if function := moto.functions.get_function_by_arn(self.physical_resource_id):
            function.delete_url_config()


class Permission(Resource, CloudFormationModel):
    """AWS::Lambda::Permission; moto's own cannot be taken away again."""

    type_name = "AWS::Lambda::Permission"

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Add a statement to the policy of the function."""
        function = moto.functions.get_function(properties["FunctionName"])
        principal = properties["Principal"]
        is_service = principal.endswith(".amazonaws.com")
        conditions: dict[str, dict[str, str]] = {}
        if "SourceArn" in properties:
            conditions["ArnLike"] = {"AWS:SourceArn": properties["SourceArn"]}
        if "SourceAccount" in properties:
            conditions.setdefault("StringEquals", {})["AWS:SourceAccount"] = properties["SourceAccount"]
        if "FunctionUrlAuthType" in properties:
            conditions.setdefault("StringEquals", {})["lambda:FunctionUrlAuthType"] = properties["FunctionUrlAuthType"]
        if "InvokedViaFunctionUrl" in properties:
            conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": str(properties["InvokedViaFunctionUrl"]).lower()}
        statement: dict[str, Any] = {
            "Sid": name,
            "Effect": "Allow",
            "Principal": {"Service": principal} if is_service else principal,
            "Action": properties["Action"],
            "Resource": function.function_arn,
        }
        if conditions:
            statement["Condition"] = conditions
        function.policy.statements.append(statement)
        return cls(name, {**properties, "FunctionArn": function.function_arn})

    def remove(self, moto: Backends) -> None:
        """Take the statement away, if the function is still there."""
        if function := moto.functions.get_function_by_arn(self.properties["FunctionArn"]):
            statements = function.policy.statements
            statements[:] = [one for one in statements if one["Sid"] != self.physical_resource_id]


def _typed(properties: Properties) -> Properties:
    """Numbers may come as text, from parameters."""
    numbers = ("MemorySize", "Timeout", "ReservedConcurrentExecutions")
    plain = {key: value for key, value in properties.items() if key not in ("Code", "Tags")}
    return {key: int(value) if key in numbers else value for key, value in plain.items()}


def _code(code: Properties) -> Properties:
    """Code in the template itself is the text of index.py; everything else is in S3."""
    if "ZipFile" not in code:
        return code
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.py", code["ZipFile"])
    return {"ZipFile": b64encode(packed.getvalue())}
