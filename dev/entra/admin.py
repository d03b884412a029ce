"""Changes for tests and demonstrations. Entra has nothing like it. No token: loopback alone protects it.

PUT /admin/people/{oid}   second_factor: whether the tenant demands one of this person for Azure Resource Manager

A PUT, which no page of another origin may send.
"""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dev.demo import PEOPLE
from dev.entra.parts import demands_of
from dev.entra.refusals import RefusedError


async def _change_person(request: Request) -> Response:
    oid = request.path_params["oid"]
    try:
        said = json.loads(await request.body())
    except ValueError as broken:
        raise RefusedError(9002313) from broken
    readable = isinstance(said, dict) and set(said) == {"second_factor"} and isinstance(said["second_factor"], bool)
    if not readable or all(person.oid != oid for person in PEOPLE):
        raise RefusedError(9002313)
    demands_of(request).put(oid, second_factor=said["second_factor"])
    return Response(status_code=204)


ROUTES = (Route("/admin/people/{oid}", _change_person, methods=["PUT"]),)
