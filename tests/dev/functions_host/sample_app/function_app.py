"""A function app with one of everything that the host serves. It would run in Azure unchanged."""

import asyncio
import json
import os
import threading
from collections.abc import Generator
from typing import Any, List  # noqa: UP035 - the worker refuses list[...] for Event Hub triggers

import azure.durable_functions as df
import azure.functions as func
from durabletask import task
from durabletask.entities import DurableEntity, EntityInstanceId

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
triggers = func.Blueprint()  # type: ignore[no-untyped-call]  # untyped; and DFApp has no retry policies

lingering: list[None] = []
seen: list[dict[str, Any]] = []
ticks: list[str] = []

type Steps = Generator[Any, Any, Any]


def answer(value: Any, status: int = 200) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(value), status_code=status, mimetype="application/json")


@app.route(route="items/{item_id}", methods=["POST"])
async def item(req: func.HttpRequest) -> func.HttpResponse:
    told = {
        "id": req.route_params["item_id"],
        "size": len(req.get_body()),
        "query": dict(req.params),
        "agent": req.headers.get("User-Agent"),
        "forwarded": req.headers.get("X-Forwarded-For"),
        "url": req.url,
    }
    made = func.HttpResponse(json.dumps(told), status_code=201, mimetype="application/json", headers={"x-test": "1"})
    made.headers.add("Set-Cookie", "a=b; Path=/; HttpOnly; SameSite=Lax; Expires=Wed, 21 Oct 2099 07:28:00 GMT")
    made.headers.add("Set-Cookie", "c=d; Path=/x; Secure; Max-Age=60")
    return made


@app.route(route="items/{item_id}", methods=["GET"])
async def read_item(req: func.HttpRequest) -> func.HttpResponse:
    return answer(dict(req.route_params))


@app.route(route="items/special")
async def special(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("special")


@app.route(route="noop")
async def noop(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("ok")


PATIENCE = 240.0
_FOUR = threading.Barrier(4)


@app.route(route="sleepsync")
def sleepsync(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    _FOUR.wait(PATIENCE)
    return func.HttpResponse(context.invocation_id)


@app.route(route="slow")
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    seen.append({"slow": "began"})
    await asyncio.sleep(float(req.params["seconds"]))
    seen.append({"slow": "ended"})
    return func.HttpResponse("done")


@app.route(route="fail")
async def fail(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("nope")


@app.route(route="guarded", auth_level=func.AuthLevel.FUNCTION)
async def guarded(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")


@app.route(route="files/{*path}")
async def files(req: func.HttpRequest) -> str:
    return str(req.route_params.get("path", "nothing"))


@app.route(route="settings/{name}")
async def settings(req: func.HttpRequest) -> func.HttpResponse:
    return answer(os.environ.get(req.route_params["name"]))


@app.route(route="seen")
async def read_seen(req: func.HttpRequest) -> func.HttpResponse:
    return answer({"seen": seen, "ticks": ticks})


@app.entity_trigger(context_name="context", entity_name="SampleLock")
class SampleLock(DurableEntity):
    def acquire(self, owner: str) -> dict[str, Any]:
        state = self._state()
        if state["owner"] not in {None, owner}:
            return {"ok": False, **state}
        state = {"owner": owner, "generation": state["generation"] + 1}
        self.set_state(state)
        return {"ok": True, **state}

    def release(self, generation: int) -> bool:
        if self._state()["generation"] != generation:
            return False
        self.set_state({"owner": None, "generation": generation})
        return True

    def bump(self, _: Any = None) -> int:
        state = self._state()
        self.set_state({**state, "generation": state["generation"] + 1})
        return int(state["generation"]) + 1

    def boom(self, _: Any = None) -> None:
        raise ValueError("boom in entity")

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.get_state(dict, {"owner": None, "generation": 0})
        return state


@app.orchestration_trigger(context_name="context")
def call_lock(context: task.OrchestrationContext, arg: dict[str, Any]) -> Steps:
    return (yield context.call_entity(EntityInstanceId("SampleLock", arg["key"]), arg["op"], arg.get("input")))


@app.orchestration_trigger(context_name="context")
def fan_out(context: task.OrchestrationContext, arg: int) -> Steps:
    return sum((yield task.when_all([context.call_activity("double", input=number) for number in range(arg)])))


@app.orchestration_trigger(context_name="context")
def parent(context: task.OrchestrationContext, arg: int) -> Steps:
    return (yield context.call_sub_orchestrator("fan_out", input=arg))


@app.orchestration_trigger(context_name="context")
def failing(context: task.OrchestrationContext, arg: str) -> Steps:
    try:
        yield context.call_activity("explode", input=arg)
    except task.TaskFailedError as error:
        return {"caught": error.details.message, "type": error.details.error_type}


@app.orchestration_trigger(context_name="context")
def with_lock(context: task.OrchestrationContext, arg: str) -> Steps:
    entity = EntityInstanceId("SampleLock", arg)
    with (yield context.lock_entities([entity])):
        first = yield context.call_entity(entity, "bump")
        second = yield context.call_entity(entity, "bump")
    return [first, second]


@app.orchestration_trigger(context_name="context")
def crowd(context: task.OrchestrationContext, arg: int) -> Steps:
    return max((yield task.when_all([context.call_activity("linger", input=None) for _ in range(arg)])))


@app.activity_trigger(input_name="_")
async def linger(_: Any) -> int:
    """How many are there at the same time."""
    lingering.append(None)
    await asyncio.sleep(0.2)
    there = len(lingering)
    lingering.pop()
    return there


@app.activity_trigger(input_name="number")
def double(number: int) -> int:
    return number * 2


@app.activity_trigger(input_name="what")
async def explode(what: str) -> None:
    raise RuntimeError(f"activity exploded: {what}")


@app.route(route="run/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def run(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    instance = await client.schedule_new_orchestration(req.route_params["name"], input=req.get_json())
    state = await client.wait_for_orchestration_completion(instance, timeout=int(req.params.get("seconds", "60")))
    if state is None:
        return answer("timed out", 504)
    return answer(
        {
            "status": state.runtime_status.name,
            "output": json.loads(state.serialized_output or "null"),
            "failure": state.failure_details and state.failure_details.message,
        }
    )


@app.route(route="locks/{key}", methods=["GET"])
@app.durable_client_input(client_name="client")
async def read_lock(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    entity = await client.get_entity(EntityInstanceId("SampleLock", req.route_params["key"]))
    return answer(entity and entity.get_typed_state(dict))


@app.route(route="locks/{key}/{op}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def signal_lock(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    entity = EntityInstanceId("SampleLock", req.route_params["key"])
    await client.signal_entity(entity, req.route_params["op"], req.get_json())
    return func.HttpResponse(status_code=202)


@triggers.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="%SAMPLE_HUB%",
    connection="SAMPLE_EVENTHUB",
    cardinality=func.Cardinality.MANY,
    consumer_group="$Default",
)
@triggers.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:00")
async def ingest(events: List[func.EventHubEvent], context: func.Context) -> None:  # noqa: UP006 - as above
    bodies = [event.get_body().decode() for event in events]
    metadata = events[0].metadata or {}
    seen.append(
        {
            "bodies": bodies,
            "retry": context.retry_context.retry_count,
            "sequence": [event.sequence_number for event in events],
            "properties": metadata["PropertiesArray"],
            "partition": metadata["PartitionContext"]["PartitionId"],
        }
    )
    if "poison" in bodies:
        raise RuntimeError("poison event")


@triggers.timer_trigger(schedule="%SAMPLE_SCHEDULE%", arg_name="timer", run_on_startup=True)
def tick(timer: func.TimerRequest) -> None:
    ticks.append("late" if timer.past_due else "on time")


app.register_functions(triggers)
