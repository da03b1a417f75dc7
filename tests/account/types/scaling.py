"""AWS::ApplicationAutoScaling::*: the bounds of the service and its target tracking."""

from typing import Self

from moto.core.common_models import CloudFormationModel
from tests.account.moto import ACCOUNT_ID, Backends
from tests.account.types.resource import Properties, Resource


class ScalableTarget(Resource, CloudFormationModel):
    """AWS::ApplicationAutoScaling::ScalableTarget."""

    type_name = "AWS::ApplicationAutoScaling::ScalableTarget"
    attribute_names = frozenset({"Id"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Register the target; AWS's own role for it is used where none is given."""
        namespace, resource = properties["ServiceNamespace"], properties["ResourceId"]
        dimension = properties["ScalableDimension"]
        moto.scaling.register_scalable_target(
            namespace=namespace,
            r_id=resource,
            dimension=dimension,
            min_capacity=int(properties["MinCapacity"]),
            max_capacity=int(properties["MaxCapacity"]),
            role_arn=properties.get("RoleARN") or f"arn:aws:iam::{ACCOUNT_ID}:role/aws-service-role/scaling",
            suspended_state=properties.get("SuspendedState"),
        )
        physical_id = f"{resource}|{dimension}|{namespace}"
        return cls(physical_id, properties, Id=physical_id)

    def remove(self, moto: Backends) -> None:
        """Deregister it."""
        resource, dimension, namespace = self.physical_resource_id.split("|")
        moto.scaling.deregister_scalable_target(namespace, resource, dimension)


class ScalingPolicy(Resource, CloudFormationModel):
    """AWS::ApplicationAutoScaling::ScalingPolicy."""

    type_name = "AWS::ApplicationAutoScaling::ScalingPolicy"
    name_property = "PolicyName"
    attribute_names = frozenset({"Arn"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Put the policy on its target, which is named directly or in three parts."""
        target = properties.get("ScalingTargetId")
        parts = target.split("|") if target else []
        policy_type = properties["PolicyType"]
        policy = moto.scaling.put_scaling_policy(
            policy_name=name,
            service_namespace=parts[2] if parts else properties["ServiceNamespace"],
            resource_id=parts[0] if parts else properties["ResourceId"],
            scalable_dimension=parts[1] if parts else properties["ScalableDimension"],
            policy_body=properties[f"{policy_type}PolicyConfiguration"],
            policy_type=policy_type,
        )
        found = cls(policy.policy_arn, properties, Arn=policy.policy_arn)
        found.policy = (name, policy.service_namespace, policy.resource_id, policy.scalable_dimension)
        return found

    policy: tuple[str, str, str, str]

    def remove(self, moto: Backends) -> None:
        """Take the policy and its alarms away."""
        moto.scaling.delete_scaling_policy(*self.policy)
