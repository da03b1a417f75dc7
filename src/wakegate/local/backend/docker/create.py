"""What a container of ours is made of: a `ContainerSpec` in the words of the Engine API, and our labels."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from wakegate.core.spec import ContainerSpec

SERVICE = "wakegate.service"
OWNER = "wakegate.owner"  # the state directory whose gateway made it: no other touches it
NUMBER = "wakegate.number"
FINGERPRINT = "wakegate.fingerprint"


def labels_of(service: str, spec: ContainerSpec, *, owner: str, number: int) -> dict[str, str]:
    """Return the labels of a replica; the user's own cannot take the place of ours."""
    ours = {SERVICE: service, OWNER: owner, NUMBER: str(number), FINGERPRINT: fingerprint(spec)}
    return dict(spec.labels) | ours


def fingerprint(spec: ContainerSpec) -> str:
    """Return what must be the same for a running container to fit the configuration; log limits need not be."""
    facts = asdict(spec)
    del facts["log_bytes_max"], facts["log_files_max"]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def body(spec: ContainerSpec, *, image: str, port: int, labels: dict[str, str]) -> dict[str, Any]:
    """Return the body of the call that creates a container."""
    inside = f"{port}/tcp"
    host: dict[str, Any] = {
        "Binds": [volume for volume in spec.volumes if ":" in volume],
        "Memory": spec.memory_bytes,
        "NanoCpus": round(spec.cpus * 1e9),
    }
    if spec.network:
        host["NetworkMode"] = spec.network
    else:
        host["PortBindings"] = {inside: [{"HostIp": "127.0.0.1", "HostPort": ""}]}
    made: dict[str, Any] = {
        "Image": image,
        "Env": [f"{name}={value.replace('{port}', str(port))}" for name, value in _env(spec, port).items()],
        "Labels": labels,
        "ExposedPorts": {inside: {}},
        "Volumes": {volume: {} for volume in spec.volumes if ":" not in volume},
        "HostConfig": host,
    }
    if spec.command:
        made["Cmd"] = [argument.replace("{port}", str(port)) for argument in spec.command]
    if spec.user:
        made["User"] = spec.user
    return made


def _env(spec: ContainerSpec, port: int) -> dict[str, str]:
    return {"PORT": str(port)} | dict(spec.env)
