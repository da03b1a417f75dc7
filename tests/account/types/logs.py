"""AWS::Logs::LogGroup with the ARN that CloudFormation gives, which ends in ":*" and so is about the streams."""

from typing import Self

from moto.core.common_models import CloudFormationModel
from tests.account.moto import ACCOUNT_ID, Backends
from tests.account.types.resource import Properties, Resource


class LogGroup(Resource, CloudFormationModel):
    """AWS::Logs::LogGroup."""

    type_name = "AWS::Logs::LogGroup"
    name_property = "LogGroupName"
    attribute_names = frozenset({"Arn"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the group."""
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        moto.logs.create_log_group(name, tags)
        if "RetentionInDays" in properties:
            moto.logs.put_retention_policy(name, int(properties["RetentionInDays"]))
        return cls(name, properties, Arn=f"arn:aws:logs:{moto.region}:{ACCOUNT_ID}:log-group:{name}:*")

    def remove(self, moto: Backends) -> None:
        """Remove it with its streams."""
        moto.logs.delete_log_group(self.physical_resource_id)
