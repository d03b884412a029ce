"""What the composed application carries for its handlers."""

from starlette.applications import Starlette
from starlette.requests import Request

from dev.entra.demands import Demands
from dev.entra.grants import Grants
from dev.entra.issuer import Issuer


def equip(app: Starlette, issuer: Issuer, grants: Grants) -> None:
    app.state.issuer, app.state.grants, app.state.demands = issuer, grants, Demands()


def issuer_of(request: Request) -> Issuer:
    issuer: Issuer = request.app.state.issuer
    return issuer


def grants_of(request: Request) -> Grants:
    grants: Grants = request.app.state.grants
    return grants


def demands_of(request: Request) -> Demands:
    demands: Demands = request.app.state.demands
    return demands
