"""An AWS account on this machine, for tests, `make demo-aws` and the bench: `with Account(folder) as account:`.

account (the composition root) -> server (the endpoint: moto, behind IAM) -> stacks and types (CloudFormation) ->
fargate (tasks as processes) -> front (HTTP into payload 2.0) -> functions and runtime_api (Lambda) -> schedule.
All of moto's state is touched by one thread (`moto.py`); everything else runs on one event loop (`wire.py` is HTTP).
"""
