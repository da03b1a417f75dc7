"""What the types share: a resource has an id, attributes, and the properties that it was made from."""

from typing import Any, ClassVar, Self

from tests.account.moto import ACCOUNT_ID, Backends

Properties = dict[str, Any]


class Resource:
    """A mixin before `CloudFormationModel`, which moto wants as a direct base of every type."""

    type_name: ClassVar[str]
    name_property: ClassVar[str] = ""
    attribute_names: ClassVar[frozenset[str]] = frozenset()
    cf_resource_type: str
    logical_resource_id: str

    def __init__(self, physical_id: str, properties: Properties, **attributes: str) -> None:
        self._physical_id = physical_id
        self.properties = properties
        self.attributes = attributes

    @classmethod
    def create(cls, name: str, properties: Properties, moto: Backends) -> Self:
        """Make it in moto's backends."""
        raise NotImplementedError

    def remove(self, moto: Backends) -> None:
        """Remove it from moto's backends."""

    @property
    def physical_resource_id(self) -> str:
        """Return what Ref gives."""
        return self._physical_id

    @classmethod
    def cloudformation_type(cls) -> str:
        """Return the name of the type."""
        return cls.type_name

    @classmethod
    def cloudformation_name_type(cls) -> str:
        """Return the property that holds the name."""
        return cls.name_property

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Say whether Fn::GetAtt knows it."""
        return attr in cls.attribute_names

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """Return what Fn::GetAtt gives."""
        return self.attributes[attribute_name]

    def is_created(self) -> bool:
        """Say that it is there: these types take no time."""
        return True

    def delete(self, account_id: str, region_name: str) -> None:
        """Remove it; moto calls this when the stack goes."""
        assert account_id == ACCOUNT_ID
        self.remove(backends(region_name))

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_more: Any
    ) -> Any:
        """Make it; moto calls this when the stack is made."""
        assert account_id == ACCOUNT_ID
        properties = without_none(cloudformation_json.get("Properties") or {})
        return cls.create(resource_name, properties, backends(region_name))

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Any:
        """Replace it; moto calls this when the stack is updated."""
        original_resource.delete(account_id, region_name)
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        """Do nothing: `delete` has done it."""


_backends: dict[str, Backends] = {}


def backends(region: str) -> Backends:
    """Return moto's backends of a region."""
    return _backends.setdefault(region, Backends(region))


def lower_first(value: Any) -> Any:
    """Write the keys of CloudFormation ("AllowOrigins") as those of the API ("allowOrigins"), all the way down."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: lower_first(inner) for key, inner in value.items()}
    return [lower_first(inner) for inner in value] if isinstance(value, list) else value


def without_none(value: Any) -> Any:
    """Leave out what AWS::NoValue stands for."""
    if isinstance(value, dict):
        return {key: without_none(inner) for key, inner in value.items() if inner is not None}
    return [without_none(inner) for inner in value if inner is not None] if isinstance(value, list) else value
