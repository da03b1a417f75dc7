"""Is the service registered for scaling out, and does that leave it alone at zero?"""

from wakegate.aws.operate.check import Check, fail, ok, warn
from wakegate.aws.operate.stack import Stack

NAME = "scaling"
DIMENSION = "ecs:service:DesiredCount"


def check_scaling(stack: Stack) -> list[Check]:
    """Look at the scalable target and at its policy."""
    resource = f"service/{stack.cluster}/{stack.service}"
    where = {"ServiceNamespace": "ecs", "ScalableDimension": DIMENSION}
    register = (
        f"aws application-autoscaling register-scalable-target --service-namespace ecs --resource-id {resource}"
        f" --scalable-dimension {DIMENSION} --min-capacity {stack.replicas_min} --max-capacity {stack.replicas_max}"
        f" --region {stack.asker.region}"
    )
    targets = stack.asker.ask("application-autoscaling", "describe_scalable_targets", **where, ResourceIds=[resource])[
        "ScalableTargets"
    ]
    if not targets:
        return [fail(NAME, f"{resource} is not registered: it never runs more than one task", register)]
    target = targets[0]
    least, most = target["MinCapacity"], target["MaxCapacity"]
    if least > stack.replicas_min:
        return [fail(NAME, f"{resource} may not go below {least}: it is woken again whenever it sleeps", register)]
    if most < 1:
        return [fail(NAME, f"{resource} may have {most} tasks at most: it cannot be woken", register)]
    suspended = [name for name, is_on in target.get("SuspendedState", {}).items() if is_on]
    if suspended:
        return [
            warn(
                NAME, f"{resource} does not scale: {', '.join(suspended)} is on", f'{register} --suspended-state "{{}}"'
            )
        ]
    policies = stack.asker.ask("application-autoscaling", "describe_scaling_policies", **where, ResourceId=resource)[
        "ScalingPolicies"
    ]
    if not policies and most > 1:
        saw = f"{resource} may have up to {most} tasks, but no policy says when: it stays at one"
        return [warn(NAME, saw, f"wakegate deploy --stack {stack.name}")]
    return [ok(NAME, f"{least} to {most} tasks, by {policies[0]['PolicyName'] if policies else 'hand'}")]
