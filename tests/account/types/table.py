"""AWS::DynamoDB::Table with its time to live and its backups, which moto's own leaves out."""

from typing import Self

from moto.core.common_models import CloudFormationModel
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table as MotoTable
from tests.account.moto import ACCOUNT_ID, Backends
from tests.account.types.resource import Properties, Resource


class Table(Resource, CloudFormationModel):
    """AWS::DynamoDB::Table."""

    type_name = "AWS::DynamoDB::Table"
    name_property = "TableName"
    attribute_names = frozenset({"Arn"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the table."""
        table = MotoTable.create_from_cloudformation_json(name, {"Properties": properties}, ACCOUNT_ID, moto.region)
        backend = dynamodb_backends[ACCOUNT_ID][moto.region]
        if ttl := properties.get("TimeToLiveSpecification"):
            backend.update_time_to_live(name, {**ttl, "Enabled": _is_true(ttl["Enabled"])})
        if recovery := properties.get("PointInTimeRecoverySpecification"):
            is_on = _is_true(recovery["PointInTimeRecoveryEnabled"])
            backend.update_continuous_backups(name, {**recovery, "PointInTimeRecoveryEnabled": is_on})
        return cls(name, properties, Arn=table.table_arn)

    def remove(self, moto: Backends) -> None:
        """Remove it with its items."""
        dynamodb_backends[ACCOUNT_ID][moto.region].delete_table(self.physical_resource_id)


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"
