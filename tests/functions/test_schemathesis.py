"""Requests that a machine makes up from the API's description, good and bad: each answer is one that is described."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from dev.demo import ADA, SUBSCRIPTION, group
from dev.entra.tokens import user_token
from tests.functions.control_plane import ControlPlane, control_plane
from tests.functions.described import closed
from tests.functions.test_openapi import DOCUMENT

CONFORMS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
HERE = {"path.subscription": SUBSCRIPTION, "path.group": "rg-web", "path.name": "web-04", "path.scale_set": "workers"}
TWINS = "_of_(instance|group|scale_set|tenant|subscription)$|^azure_.*_instance$"
"""Operations that are another one at another address."""
FEW = settings(derandomize=True, deadline=None, database=None, max_examples=4, suppress_health_check=list(HealthCheck))


def described(**parameters: Any) -> OpenApiSchema:
    whole = deepcopy(DOCUMENT)
    answers = {name: each for name, each in whole["components"]["schemas"].items() if "Wish" not in name}
    whole["components"]["schemas"] |= closed(answers)
    schema = schemathesis.openapi.from_dict(whole)
    schema.config.parameters = parameters
    return schema


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A host of its own: what a machine does here, nobody else wants to find."""
    with control_plane(tmp_path_factory.mktemp("machine")) as running:
        yield running


@pytest.fixture(scope="module")
def adas(own: ControlPlane) -> str:
    return user_token(own.stack, ADA)


@pytest.fixture
def clean(own: ControlPlane) -> Iterator[None]:
    """Each operation meets a VM that runs, and no policy."""
    yield
    own.world.units["web-04"].power = "running"
    for scope in (f"/subscriptions/{SUBSCRIPTION}", group("rg-web"), own.world.units["web-04"].id):
        assert own.call("DELETE", f"/api{scope}/serialConsole/policy", ADA).status_code == 204


def answered(own: ControlPlane, case: Case[Any], token: str | None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = case.call(base_url=f"{own.host.client.base_url}/api", headers=headers)
    broken = 504 if case.path == "/health" else 500  # degraded: there is no event hub here
    assert answer.status_code < broken
    return answer


HERS = described(**HERE).exclude(operation_id_regex=TWINS)


@HERS.parametrize()
@FEW
@pytest.mark.usefixtures("clean")
def test_what_is_described_is_what_ada_gets(own: ControlPlane, adas: str, case: Case[Any]) -> None:
    case.validate_response(answered(own, case, adas), checks=[*CONFORMS, negative_data_rejection])


NOBODYS = described().exclude(operation_id_regex=TWINS)
NOBODYS.config.phases.coverage.enabled = False
NOBODYS.config.generation.update(modes=[GenerationMode.POSITIVE])  # a stranger's requests are not read that far


@NOBODYS.parametrize()
@FEW
def test_what_is_described_is_what_a_stranger_gets(own: ControlPlane, case: Case[Any]) -> None:
    case.validate_response(answered(own, case, None), checks=CONFORMS)
