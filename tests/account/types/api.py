"""AWS::ApiGatewayV2::*: an HTTP API with its stage, integrations, routes, authorizers and custom domain."""

from typing import Any, Self

from moto.core.common_models import CloudFormationModel
from tests.account.moto import Backends
from tests.account.types.resource import Properties, Resource, backends, lower_first


class HttpApi(Resource, CloudFormationModel):
    """AWS::ApiGatewayV2::Api."""

    type_name = "AWS::ApiGatewayV2::Api"
    attribute_names = frozenset({"ApiEndpoint", "ApiId"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the API."""
        api = moto.apis.create_api(
            api_key_selection_expression=None,
            cors_configuration=lower_first(properties.get("CorsConfiguration")),
            description=properties.get("Description"),
            disable_schema_validation=None,
            disable_execute_api_endpoint=_is_true(properties.get("DisableExecuteApiEndpoint")),
            name=properties.get("Name", name),
            protocol_type=properties.get("ProtocolType", "HTTP"),
            route_selection_expression=None,
            tags=properties.get("Tags") or {},
            version=properties.get("Version"),
        )
        return cls(api.api_id, properties, ApiEndpoint=api.api_endpoint, ApiId=api.api_id)

    def remove(self, moto: Backends) -> None:
        """Remove it with all that is in it."""
        moto.apis.delete_api(self.physical_resource_id)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Any:
        """Change it where it is: its address stays."""
        properties = cloudformation_json["Properties"]
        api = backends(region_name).apis.get_api(original_resource.physical_resource_id)
        api.cors_configuration = lower_first(properties.get("CorsConfiguration"))
        api.disable_execute_api_endpoint = _is_true(properties.get("DisableExecuteApiEndpoint"))
        original_resource.properties = properties
        return original_resource


class Stage(Resource, CloudFormationModel):
    """AWS::ApiGatewayV2::Stage."""

    type_name = "AWS::ApiGatewayV2::Stage"

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the stage."""
        stages = (
            "StageName",
            "AutoDeploy",
            "Description",
            "DefaultRouteSettings",
            "AccessLogSettings",
            "RouteSettings",
        )
        config = lower_first({key: properties[key] for key in stages if key in properties})
        config["stageVariables"] = properties.get("StageVariables") or {}
        config["tags"] = properties.get("Tags") or {}
        moto.apis.create_stage(properties["ApiId"], config)
        return cls(properties["StageName"], properties)

    def remove(self, moto: Backends) -> None:
        """Remove it, if its API is still there."""
        if self.properties["ApiId"] in moto.apis.apis:
            moto.apis.delete_stage(self.properties["ApiId"], self.physical_resource_id)


class Integration(Resource, CloudFormationModel):
    """AWS::ApiGatewayV2::Integration."""

    type_name = "AWS::ApiGatewayV2::Integration"
    attribute_names = frozenset({"IntegrationId"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the integration."""
        timeout_ms = int(properties.get("TimeoutInMillis", 30_000))
        if not 50 <= timeout_ms <= 30_000:
            raise ValueError("Timeout should be between 50 ms and 30000 ms")
        integration = moto.apis.get_api(properties["ApiId"]).create_integration(
            connection_type=properties.get("ConnectionType", "INTERNET"),
            description=properties.get("Description"),
            integration_method=properties.get("IntegrationMethod"),
            integration_type=properties["IntegrationType"],
            integration_uri=properties.get("IntegrationUri"),
            payload_format_version=properties.get("PayloadFormatVersion"),
            timeout_in_millis=timeout_ms,
        )
        return cls(integration.id, properties, IntegrationId=integration.id)

    def remove(self, moto: Backends) -> None:
        """Remove it, if its API is still there."""
        if self.properties["ApiId"] in moto.apis.apis:
            moto.apis.delete_integration(self.properties["ApiId"], self.physical_resource_id)


class Route(Resource, CloudFormationModel):
    """AWS::ApiGatewayV2::Route."""

    type_name = "AWS::ApiGatewayV2::Route"
    attribute_names = frozenset({"RouteId"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the route."""
        route = moto.apis.get_api(properties["ApiId"]).create_route(
            api_key_required=False,
            authorization_scopes=properties.get("AuthorizationScopes") or [],
            route_key=properties["RouteKey"],
            target=properties.get("Target"),
            authorization_type=properties.get("AuthorizationType", "NONE"),
            authorizer_id=properties.get("AuthorizerId"),
        )
        return cls(route.route_id, properties, RouteId=route.route_id)

    def remove(self, moto: Backends) -> None:
        """Remove it, if its API is still there."""
        if self.properties["ApiId"] in moto.apis.apis:
            moto.apis.delete_route(self.properties["ApiId"], self.physical_resource_id)


class Authorizer(Resource, CloudFormationModel):
    """AWS::ApiGatewayV2::Authorizer."""

    type_name = "AWS::ApiGatewayV2::Authorizer"
    attribute_names = frozenset({"AuthorizerId"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the authorizer."""
        authorizer = moto.apis.create_authorizer(
            api_id=properties["ApiId"],
            auth_creds_arn=properties.get("AuthorizerCredentialsArn"),
            auth_payload_format_version=properties.get("AuthorizerPayloadFormatVersion"),
            auth_result_ttl=properties.get("AuthorizerResultTtlInSeconds"),
            authorizer_type=properties["AuthorizerType"],
            authorizer_uri=properties.get("AuthorizerUri"),
            enable_simple_response=properties.get("EnableSimpleResponses"),
            identity_source=properties.get("IdentitySource"),
            identity_validation_expr=None,
            jwt_config=lower_first(properties.get("JwtConfiguration")),
            name=properties["Name"],
        )
        return cls(authorizer.id, properties, AuthorizerId=authorizer.id)

    def remove(self, moto: Backends) -> None:
        """Remove it, if its API is still there."""
        if self.properties["ApiId"] in moto.apis.apis:
            moto.apis.delete_authorizer(self.properties["ApiId"], self.physical_resource_id)


class DomainName(Resource, CloudFormationModel):
    """AWS::ApiGatewayV2::DomainName."""

    type_name = "AWS::ApiGatewayV2::DomainName"
    name_property = "DomainName"
    attribute_names = frozenset({"RegionalDomainName", "RegionalHostedZoneId", "DomainNameArn"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the domain name."""
        configurations = lower_first(properties.get("DomainNameConfigurations") or [])
        moto.apis.create_domain_name(
            domain_name=name,
            domain_name_configurations=configurations,
            mutual_tls_authentication={},
            tags=properties.get("Tags") or {},
        )
        return cls(
            name,
            properties,
            RegionalDomainName=f"d-emulated.execute-api.{moto.region}.amazonaws.com",
            RegionalHostedZoneId="Z1EMULATED",
            DomainNameArn=f"arn:aws:apigateway:{moto.region}::/domainnames/{name}",
        )

    def remove(self, moto: Backends) -> None:
        """Remove it."""
        moto.apis.delete_domain_name(self.physical_resource_id)


class ApiMapping(Resource, CloudFormationModel):
    """AWS::ApiGatewayV2::ApiMapping."""

    type_name = "AWS::ApiGatewayV2::ApiMapping"
    attribute_names = frozenset({"ApiMappingId"})

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make the mapping."""
        mapping = moto.apis.create_api_mapping(
            api_id=properties["ApiId"],
            api_mapping_key=properties.get("ApiMappingKey", ""),
            domain_name=properties["DomainName"],
            stage=properties["Stage"],
        )
        return cls(mapping.api_mapping_id, properties, ApiMappingId=mapping.api_mapping_id)

    def remove(self, moto: Backends) -> None:
        """Remove it."""
        moto.apis.delete_api_mapping(self.physical_resource_id, self.properties["DomainName"])


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
