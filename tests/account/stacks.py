"""CloudFormation's way of working, over moto's models: change sets run in steps, with events, and are rolled back.

moto makes a whole stack inside one call, in the order of the template, without events and without a way back.
Over 300 lines because a change set, its steps and its rollback share one state: what was made, and in which order.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import tests.account.types  # noqa: F401  importing them is what makes them known to moto
from moto.cloudformation import parsing
from moto.cloudformation.models import Change
from moto.cloudformation.parsing import OutputMap, ResourceMap
from tests.account import query
from tests.account.calls import Call
from tests.account.dependencies import in_order
from tests.account.moto import ACCOUNT_ID, Moto
from tests.account.stack_events import id_of, note
from tests.account.wire import Request, Response

TEMPLATE_BYTES_MAX = 51_200  # of a template in the call; a larger one has to come from S3

KEEPING = ("Retain", "RetainExceptOnCreate")  # the second one not while a creation is rolled back

Json = dict[str, Any]


class Stacks:
    """The calls of CloudFormation that moto does not answer as AWS does."""

    def __init__(self, moto: Moto) -> None:
        self.resource_s = 0.0  # how long each resource takes
        self._moto = moto
        self._running: set[asyncio.Task[None]] = set()

    def takes(self, call: Call) -> bool:
        """Say whether a call is answered here."""
        return hasattr(self, f"_{_snake(call.action)}")

    async def answer(self, call: Call, request: Request) -> Response:
        """Answer a call; what it starts goes on."""
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        found: Response = await getattr(self, f"_{_snake(call.action)}")(form, request)
        return found

    async def stop(self) -> None:
        """Leave everything as it is."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _create_change_set(self, form: Json, request: Request) -> Response:
        if len(form.get("TemplateBody", "")) > TEMPLATE_BYTES_MAX:
            return query.error("ValidationError", "Member must have length less than or equal to 51200")
        given = {value for key, value in form.items() if key.startswith("Capabilities.")}
        if re.search(r"AWS::IAM::", form.get("TemplateBody", "")) and "CAPABILITY_NAMED_IAM" not in given:
            return query.error("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]")
        response = await self._moto_answers(await self._on_moto(self._with_previous, form, request))
        if response.status == 200 and (found := re.search(rb"<Id>([^<]+)</Id>", response.body)):
            await self._on_moto(self._list_changes, found[1].decode(), form.get("OnStackFailure", ""))
        return response

    async def _execute_change_set(self, form: Json, request: Request) -> Response:
        del request
        change_set = await self._on_moto(self._change_set, form["ChangeSetName"], form.get("StackName", ""))
        if change_set is None:
            return query.error("ChangeSetNotFound", f"ChangeSet [{form['ChangeSetName']}] does not exist", status=404)
        if change_set.execution_status != "AVAILABLE":
            return query.error("InvalidChangeSetStatus", f"ChangeSet is in [{change_set.execution_status}] status")
        self._begin(change_set)
        return query.answer("ExecuteChangeSet", "")

    async def _describe_stack_resources(self, form: Json, request: Request) -> Response:
        """Find the stack of a resource by the resource's own name, which moto does not."""
        if "PhysicalResourceId" in form and "StackName" not in form:
            owner = await self._on_moto(self._owner, form["PhysicalResourceId"])
            if owner is None:
                return query.error("ValidationError", f"Stack for {form['PhysicalResourceId']} does not exist")
            body = urlencode({**form, "StackName": owner}).encode()
            request = Request(method="POST", target=request.target, headers=request.headers, body=body)
        return await self._moto_answers(request)

    async def _create_stack(self, form: Json, request: Request) -> Response:
        return await self._at_once("CREATE", form, request)

    async def _update_stack(self, form: Json, request: Request) -> Response:
        return await self._at_once("UPDATE", form, request)

    async def _at_once(self, kind: str, form: Json, request: Request) -> Response:
        """Make a stack through a change set of its own."""
        name = f"at-once-{uuid4().hex}"
        changed = {**form, "Action": "CreateChangeSet", "ChangeSetName": name, "ChangeSetType": kind}
        body = urlencode(changed).encode()
        inner = Request(method="POST", target=request.target, headers=request.headers, body=body)
        response = await self._create_change_set(changed, inner)
        if response.status != 200:
            return response
        change_set = await self._on_moto(self._change_set, name, form["StackName"])
        if change_set.execution_status != "AVAILABLE":
            return query.error("ValidationError", "No updates are to be performed.")
        self._begin(change_set)
        return query.answer(f"{kind.title()}Stack", f"<StackId>{change_set.stack.stack_id}</StackId>")

    async def _delete_stack(self, form: Json, request: Request) -> Response:
        del request
        stack = await self._on_moto(self._stack, form["StackName"])
        if stack is not None:
            stack.status = "DELETE_IN_PROGRESS"
            note(stack, None, "DELETE_IN_PROGRESS", "User Initiated")
            self._run(self._deletion(stack))
        return query.answer("DeleteStack", "")

    def _begin(self, change_set: Any) -> None:
        change_set.execution_status = "EXECUTE_IN_PROGRESS"
        change_set.stack.status = f"{change_set.change_set_type}_IN_PROGRESS"
        note(change_set.stack, None, change_set.stack.status, "User Initiated")
        self._run(self._execution(change_set))

    def _run(self, steps: Iterator[None]) -> None:
        task = asyncio.create_task(self._step_by_step(steps))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _step_by_step(self, steps: Iterator[None]) -> None:
        """Run steps on moto's thread, and let others use it between them."""
        while await self._on_moto(next, steps, "end") != "end":  # noqa: ASYNC110  a step takes this long
            await asyncio.sleep(self.resource_s)

    def _execution(self, change_set: Any) -> Iterator[None]:
        """Bring the stack to what the change set says, one resource after the other."""
        stack, kind = change_set.stack, change_set.change_set_type
        before = dict(getattr(stack, "resolved", {}))
        old_jsons = dict(stack.resource_map._resource_json_map)
        template = change_set.template_dict
        names = _load(stack, change_set.template, template, change_set.parameters)
        try:
            yield from self._make(stack, template["Resources"], names, before)
            gone = [name for name in reversed(in_order(old_jsons)) if name not in names]
            for name in gone:
                yield from self._remove(stack, name, old_jsons[name])
        except Exception as error:  # noqa: BLE001  whatever a model raises is why the resource failed
            change_set.execution_status = "EXECUTE_FAILED"
            if getattr(change_set, "on_stack_failure", "") == "DELETE" and kind == "CREATE":
                stack.status = "DELETE_IN_PROGRESS"
                note(stack, None, stack.status, f"The following resource(s) failed: {error}")
                yield from self._deletion(stack, keeping=("Retain",))
            else:
                yield from self._roll_back(stack, kind, str(error))
            return
        stack.output_map = OutputMap(stack.resource_map, template, stack.stack_id)
        stack.status = f"{kind}_COMPLETE"
        change_set.execution_status = "EXECUTE_COMPLETE"
        note(stack, None, stack.status)

    def _make(self, stack: Any, jsons: Json, names: list[str], before: Json) -> Iterator[None]:
        resource_map = stack.resource_map
        stack.resolved = dict(before)
        for name in names:
            resource_map._resource_json_map[name] = jsons[name]
            kind = jsons[name]["Type"]
            resolved = json.dumps(parsing.clean_json(jsons[name], resource_map), default=id_of, sort_keys=True)
            if before.get(name) == resolved:
                continue
            verb = "UPDATE" if name in before else "CREATE"
            note(stack, name, f"{verb}_IN_PROGRESS", kind=kind)
            yield
            try:
                resource = self._make_one(stack, name, jsons[name], is_new=name not in before)
            except Exception as error:
                note(stack, name, f"{verb}_FAILED", str(error), kind=kind)
                raise
            stack.resolved[name] = resolved
            note(stack, name, f"{verb}_COMPLETE", kind=kind, physical=id_of(resource))
            yield

    def _make_one(self, stack: Any, name: str, found: Json, *, is_new: bool) -> Any:
        resource_map, region = stack.resource_map, self._moto.region
        if parsing.resource_class_from_type(found["Type"]) is None:
            raise NotImplementedError(f"the emulated account has no {found['Type']}")
        if is_new:
            return resource_map[name]
        changed = parsing.parse_and_update_resource(name, found, resource_map, ACCOUNT_ID, region)
        resource_map._parsed_resources[name] = changed
        return changed

    def _remove(self, stack: Any, name: str, found: Json, keeping: Sequence[str] = KEEPING) -> Iterator[None]:
        resource_map, kind = stack.resource_map, found["Type"]
        resource = resource_map._parsed_resources.get(name)
        if resource is None:
            return
        if found.get("DeletionPolicy") in keeping:
            note(stack, name, "DELETE_SKIPPED", kind=kind, physical=id_of(resource))
            return
        note(stack, name, "DELETE_IN_PROGRESS", kind=kind, physical=id_of(resource))
        yield
        try:
            resource_map._delete_resource(resource, found)
        except Exception as error:
            note(stack, name, "DELETE_FAILED", str(error), kind=kind, physical=id_of(resource))
            raise
        del resource_map._parsed_resources[name]
        stack.__dict__.get("resolved", {}).pop(name, None)
        note(stack, name, "DELETE_COMPLETE", kind=kind, physical=id_of(resource))
        yield

    def _roll_back(self, stack: Any, kind: str, reason: str) -> Iterator[None]:
        """Take away what was made; an update that failed is left half done, and says so."""
        verb = "ROLLBACK" if kind == "CREATE" else "UPDATE_ROLLBACK"
        stack.status = f"{verb}_IN_PROGRESS"
        note(stack, None, stack.status, f"The following resource(s) failed: {reason}")
        yield
        if kind == "CREATE":
            yield from self._remove_all(stack, keeping=("Retain",))
        stack.status = f"{verb}_COMPLETE" if kind == "CREATE" else f"{verb}_FAILED"
        note(stack, None, stack.status)

    def _remove_all(self, stack: Any, keeping: Sequence[str] = KEEPING) -> Iterator[None]:
        jsons = dict(stack.resource_map._resource_json_map)
        for name in reversed(in_order(jsons)):
            yield from self._remove(stack, name, jsons[name], keeping)

    def _deletion(self, stack: Any, keeping: Sequence[str] = KEEPING) -> Iterator[None]:
        try:
            yield from self._remove_all(stack, keeping)
        except Exception as error:  # noqa: BLE001  whatever a model raises is why the resource stays
            stack.status = "DELETE_FAILED"
            note(stack, None, stack.status, str(error))
            return
        stack.status = "DELETE_COMPLETE"
        note(stack, None, stack.status)
        backend = self._moto.stacks
        backend.stacks.pop(stack.stack_id, None)
        backend.deleted_stacks[stack.stack_id] = stack
        for name in [name for name, export in backend.exports.items() if export.exporting_stack_id == stack.stack_id]:
            del backend.exports[name]

    def _with_previous(self, form: Json, request: Request) -> Request:
        """Write the previous value of a parameter into the call, as text: moto would take what it has made of it."""
        stack = self._stack(form.get("StackName", ""))
        changed = {key: value for key, value in form.items() if not key.endswith(".UsePreviousValue")}
        for key, value in form.items():
            if value == "true" and key.endswith(".UsePreviousValue") and stack is not None:
                slot = key.removesuffix("UsePreviousValue")
                name = form[f"{slot}ParameterKey"]
                default = stack.template_dict["Parameters"][name].get("Default", "")
                changed[f"{slot}ParameterValue"] = str(stack.parameters.get(name, default))
        if changed == form:
            return request
        body = urlencode(changed).encode()
        return Request(method="POST", target=request.target, headers=request.headers, body=body)

    def _list_changes(self, change_set_id: str, on_stack_failure: str) -> None:
        """Put in what moto leaves out, changes of parameters only, and leave out what a condition switches off."""
        change_set = self._moto.stacks.change_sets[change_set_id]
        change_set.on_stack_failure = on_stack_failure
        stack, template = change_set.stack, change_set.template_dict
        trial = ResourceMap(
            stack.stack_id, stack.name, change_set.parameters, {}, self._moto.region, ACCOUNT_ID, template, {}
        )
        trial.load()
        conditions = trial.lazy_condition_map
        off = {name for name, one in template["Resources"].items() if not conditions.get(one.get("Condition"), True)}
        diff = stack.resource_map.build_resource_diff(template, change_set.parameters)
        kinds = {**stack.resource_map._resource_json_map, **template["Resources"]}
        change_set.changes = [
            Change(action=action, logical_resource_id=name, resource_type=kinds[name]["Type"])
            for action, names in diff.items()
            for name in dict.fromkeys(names)
            if name not in off
        ]

    def _change_set(self, name: str, stack_name: str) -> Any:
        for change_set in self._moto.stacks.change_sets.values():
            is_stack = stack_name in ("", change_set.stack_name, change_set.stack_id)
            if name in (change_set.change_set_id, change_set.change_set_name) and is_stack:
                return change_set
        return None

    def _owner(self, physical_id: str) -> str | None:
        for stack in self._moto.stacks.stacks.values():
            if any(
                getattr(one, "physical_resource_id", "") == physical_id
                for one in stack.resource_map._parsed_resources.values()
            ):
                return str(stack.name)
        return None

    def _stack(self, name: str) -> Any:
        found = self._moto.stacks.stacks
        return next((stack for stack in found.values() if name in (stack.name, stack.stack_id)), None)

    async def _moto_answers(self, request: Request) -> Response:
        response: Response = await self._on_moto(self._moto.answer, request)
        return response

    async def _on_moto(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._moto.thread, function, *arguments)


def _load(stack: Any, text: str, template: Json, parameters: Json) -> list[str]:
    """Give the stack its new template; return its resources that no condition switches off, in order."""
    resource_map = stack.resource_map
    stack.template, stack.template_dict, stack.parameters = text, template, parameters
    stack.description = template.get("Description")
    stack.output_map = OutputMap(resource_map, {}, stack.stack_id)
    resource_map._template = template
    resource_map._resource_json_map = {**template["Resources"]}
    resource_map.input_parameters = parameters
    resource_map.tags |= {"aws:cloudformation:stack-name": stack.name, "aws:cloudformation:stack-id": stack.stack_id}
    resource_map.load()
    # Whoever reads a resource of moto's map makes it: the map has only those whose turn has come.
    resource_map._resource_json_map = {}
    conditions = resource_map.lazy_condition_map
    every = template["Resources"]
    return [
        name for name in in_order(every) if not every[name].get("Condition") or conditions[every[name]["Condition"]]
    ]


def _snake(action: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
