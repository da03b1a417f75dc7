"""AWS::ECS::{TaskDefinition,Service} with what Fargate needs: moto's own leave out network, roles and launch type."""

from typing import Any, Self

from moto.core.common_models import CloudFormationModel
from tests.account.moto import Backends
from tests.account.types.resource import Properties, Resource, backends, lower_first, without_none


class TaskDefinition(Resource, CloudFormationModel):
    """AWS::ECS::TaskDefinition; an update registers a new revision."""

    type_name = "AWS::ECS::TaskDefinition"
    attribute_names = frozenset({"TaskDefinitionArn"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Register a revision."""
        containers = [_container(one) for one in properties["ContainerDefinitions"]]
        definition = moto.ecs.register_task_definition(
            family=properties.get("Family", name),
            container_definitions=containers,
            volumes=lower_first(properties.get("Volumes") or []),
            network_mode=properties.get("NetworkMode"),
            requires_compatibilities=properties.get("RequiresCompatibilities"),
            cpu=_text(properties.get("Cpu")),
            memory=_text(properties.get("Memory")),
            task_role_arn=properties.get("TaskRoleArn"),
            execution_role_arn=properties.get("ExecutionRoleArn"),
            runtime_platform=lower_first(properties.get("RuntimePlatform")),
            ephemeral_storage=lower_first(properties.get("EphemeralStorage")),
        )
        return cls(definition.arn, properties, TaskDefinitionArn=definition.arn)

    def remove(self, moto: Backends) -> None:
        """Deregister the revision."""
        moto.ecs.deregister_task_definition(self.physical_resource_id)


class Service(Resource, CloudFormationModel):
    """AWS::ECS::Service."""

    type_name = "AWS::ECS::Service"
    name_property = "ServiceName"
    attribute_names = frozenset({"Name", "ServiceArn"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the service."""
        service = moto.ecs.create_service(
            cluster_str=properties.get("Cluster", "default"),
            service_name=name,
            desired_count=int(properties.get("DesiredCount", 1)),
            task_definition_str=properties["TaskDefinition"],
            launch_type=properties.get("LaunchType", "FARGATE"),
            platform_version=properties.get("PlatformVersion", "LATEST"),
            network_configuration=_network(properties),
            tags=[],
        )
        return cls(service.arn, {**properties, "Cluster": service.cluster_name}, Name=name, ServiceArn=service.arn)

    def remove(self, moto: Backends) -> None:
        """Delete the service: its tasks are stopped."""
        moto.ecs.delete_service(self.properties["Cluster"], self.attributes["Name"], force=True)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Any:
        """Change it where it is; a desired count that the template does not name stays."""
        properties, moto = without_none(cloudformation_json["Properties"]), backends(region_name)
        service = moto.ecs.services[f"{original_resource.properties['Cluster']}:{original_resource.attributes['Name']}"]
        service.task_definition = properties["TaskDefinition"]
        service.network_configuration = _network(properties)
        if "DesiredCount" in properties:
            service.desired_count = int(properties["DesiredCount"])
        return original_resource


def _container(properties: Properties) -> dict[str, Any]:
    """Write a container definition as the API has it; the options of its log driver keep their names."""
    options = properties.get("LogConfiguration", {}).get("Options")
    container: dict[str, Any] = lower_first(properties)
    if options:
        container["logConfiguration"]["options"] = options
    for mapping in container.get("portMappings", []):
        mapping["containerPort"] = int(mapping["containerPort"])
    return container


def _network(properties: Properties) -> dict[str, Any] | None:
    network: dict[str, Any] | None = lower_first(properties.get("NetworkConfiguration"))
    if network:
        inner = network.pop("awsvpcConfiguration")
        inner["subnets"] = list(inner["subnets"])
        inner.setdefault("securityGroups", [])
        return {"awsvpcConfiguration": inner}
    return network


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
