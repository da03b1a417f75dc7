"""The network of a task: an interface with a loopback address of its own, behind its security groups."""

import random
import socket
from typing import Any

from tests.account.moto import Backends


def port_of(definition: Any) -> int:
    """Return the port of the first container."""
    mappings = definition.container_definitions[0].get("portMappings") or [{"containerPort": 80}]
    return int(mappings[0]["containerPort"])


def free_address(port: int) -> str:
    """Return an address of this machine on which nobody listens at this port; Linux answers on all of 127.0.0.0/8."""
    while True:
        address = f"127.{random.randrange(64, 250)}.{random.randrange(256)}.{random.randrange(2, 254)}"
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except PermissionError:
                return address  # a low port and no right to bind it: the app will say so
            except OSError:
                continue
            return address


def lets_in(moto: Backends, groups: list[str], port: int) -> bool:
    """Say whether a security group lets the world in at this port: a function outside the VPC comes from there."""
    for group in moto.ec2.describe_security_groups(group_ids=groups) if groups else []:
        for rule in group.ingress_rules:
            is_port = rule.ip_protocol == "-1" or int(rule.from_port) <= port <= int(rule.to_port)
            if is_port and rule.ip_range.get("CidrIp") == "0.0.0.0/0":
                return True
    return False


def make_eni(moto: Backends, network: dict[str, Any], address: str, is_public: bool) -> str:
    """Make the interface; a public address is the same one: the function comes from outside."""
    eni = moto.ec2.create_network_interface(
        subnet=network["subnets"][0],
        private_ip_address=address,
        group_ids=network["securityGroups"],
        description="Fargate",
    )
    eni.status = "in-use"
    if is_public:
        eni.public_ip = address
    return str(eni.id)


def drop_eni(moto: Backends, eni_id: str) -> None:
    """Release the interface and its address."""
    moto.ec2.enis.pop(eni_id, None)
