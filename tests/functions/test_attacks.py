"""Addresses and queries that somebody has bent: they lead to the VM that they name to the letter, or nowhere."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev.demo import ADA, SUBSCRIPTION, group
from dev.entra.tokens import user_token
from dev.functions_host.request_target import target
from tests.functions.control_plane import ControlPlane
from tests.functions.raw_requests import Answered, sent

COMPUTE = f"/api{group('rg-web')}/providers/Microsoft.Compute"
VM = f"{COMPUTE}/virtualMachines/web-01"
CONSOLE = f"{VM}/serialConsole"
SESSIONS = f"{CONSOLE}/sessions"
POLICY = f"{CONSOLE}/policy"
JSON = b"Content-Type: application/json"


@pytest.fixture(scope="module")
def adas(plane: ControlPlane) -> bytes:
    """Ada's Authorization header."""
    return f"Authorization: Bearer {user_token(plane.stack, ADA)}".encode()


def meant(address: str) -> str:
    """The VM's resource id in an address, read as the host reads it."""
    return target(address).path.removeprefix("/api").lower().rpartition("/serialconsole")[0]


def harmless(answer: Answered, address: str) -> None:
    """It is the VM that the address names to the letter, or nothing."""
    if answer.status == 200:
        assert answer.json["id"].lower() == meant(address)
    else:
        assert answer.status in (400, 403, 404), answer


@pytest.mark.parametrize(
    "bent",
    [
        "{vms}/WEB-01", "{vms}/%77eb-01", "{vms}/web%2D01", "{compute_}/VIRTUALMACHINES/web-01",
        "{vms}/%2577eb-01", "{vms}/web-01%2e", "{vms}/web-01.", "{vms}/web-01%20", "{vms}/web-01%00", "{vms}/web-01%0a",
        "{vms}/..", "{vms}/%2e%2e", "{vms}/%2E%2E/web-01", "{vms}/web-02/../web-01", "{vms}/web-02/%2e%2e/web-01",
        "{vms}/web-02%2f..%2fweb-01", "{vms}/web-02%252f..%252fweb-01", "{vms}/web-02%5c..%5cweb-01", "{vms}/./web-01",
        "{vms}//web-01", "/{vms}/web-01", "{vms}/web-01;x=1", "{vms}/web-01%3f", "{vms}/web-01%23", "{vms}/web-01#x",
        "{vms}/\u212aeb-01", "{vms}/web\u201001", "{vms}/%ef%bd%97eb-01", "{vms}/web-0%d9%a1", "{vms}/web-01%e2%80%8b",
        "{vms}/web-01%ff", "{vms}/%c0%ae%c0%ae", "{vms}/%", "{vms}/%zz", "{vms}/%u0077eb-01", "{vms}/*",
        "{vms}/{{name}}",
        "{vms}/'%20or%201=1", "{vms}/web-01%0d%0aX-Evil:%20yes", "{vms}/" + "a" * 91, "{vms}/" + "a" * 8000, "{vms}/ ",
        "{vms}/web-01/serialConsole/../../web-02", "{compute_}/virtualMachineScaleSets/workers/virtualMachines/..",
        "{compute_}/virtualMachineScaleSets/..%2fvirtualMachines%2fweb-01/virtualMachines/0",
        "{compute_}/virtualMachineScaleSets%2fworkers/virtualMachines/0",
        "{compute_}/virtualMachineScaleSets/workers/virtualMachines/0%2f..%2f1",
        "{compute_}%2fvirtualMachines/web-01", "{group_}%2fproviders%2fMicrosoft.Compute/virtualMachines/web-01",
        "{group_}/providers/Microsoft%2eCompute/virtualMachines/web-01",
        "{group_}/providers/Microsoft.Computer/virtualMachines/web-01",
        "{group_}x/../rg-web/providers/Microsoft.Compute/virtualMachines/web-01",
        "/api/subscriptions/x/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachines/web-01",
        "/API{group_api}/providers/Microsoft.Compute/virtualMachines/web-01",
    ],
)  # fmt: skip
def test_a_bent_address_is_that_vm_or_nothing(plane: ControlPlane, adas: bytes, bent: str) -> None:
    address = bent.format(
        vms=f"{COMPUTE}/virtualMachines", compute_=COMPUTE, group_=f"/api{group('rg-web')}", group_api=group("rg-web")
    )
    answer = sent(plane, f"{address}/serialConsole".encode(), [adas])
    if answer.status == 200:
        named = f"{COMPUTE}/virtualMachines/{answer.json['name']}"
        assert target(address).path.lower() == named.lower()  # dot segments are resolved before any function is asked
    assert answer.status < 500
    assert "x-evil" not in answer.headers


TRICKS = st.sampled_from(
    ["/", "//", "%2f", "%2F", "%252f", "%5c", "\\", ".", "..", "%2e", "%2e%2e", "%00", "%0a", "%20", "+", ";", "~", "*",
     "%", "%ff", "%c3%28", "\u212a", "\uff57", "'", '"', "<", "{", "}", "%7e", "@", ":", "serialConsole",
     "virtualMachines",
     "web-02", "workers", "rg-data", "A" * 100]
)  # fmt: skip


@settings(derandomize=True, max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(4, len(CONSOLE)), st.integers(0, 3), TRICKS), min_size=1, max_size=3))
def test_a_bent_address_never_leads_to_another_vm(
    plane: ControlPlane, adas: bytes, bends: list[tuple[int, int, str]]
) -> None:
    address = CONSOLE
    for at, over, trick in bends:
        address = address[:at] + trick + address[at + over :]
    harmless(sent(plane, address.encode(), [adas]), address)


@pytest.mark.parametrize(
    "session",
    [
        "%2e%2e%2f%2e%2e%2fpolicy",
        "x'%20or%20'1'%20eq%20'1",
        "x%00xxxxxxx",
        "a" * 65,
        "a" * 9000,
        "%ff" * 9,
    ],
)
@pytest.mark.parametrize("place", ["sessions", "approvals"])
def test_an_id_that_is_none_is_refused(plane: ControlPlane, adas: bytes, place: str, session: str) -> None:
    for method in (b"GET", b"DELETE"):
        answer = sent(plane, f"{CONSOLE}/{place}/{session}".encode(), [adas], method=method)
        assert answer.status in (400, 404, 414)


@pytest.mark.parametrize(
    "scope",
    ["/subscriptions/{s}%2fresourceGroups%2frg-web", "/subscriptions/..",
     "/subscriptions/{s}/resourceGroups/rg-web%2f..", "/subscriptions/%2f", "//",
     "/subscriptions/{s}/resourceGroups/%00"],
)  # fmt: skip
def test_a_policys_address_is_a_scope_to_the_letter(plane: ControlPlane, adas: bytes, scope: str) -> None:
    address = f"/api{scope.format(s=SUBSCRIPTION)}/serialConsole/policy".encode()
    answer = sent(plane, address, [adas, JSON], method=b"PUT", body=b'{"console":"off"}')
    assert answer.status in (400, 404)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", f"{CONSOLE}?for=watch&for=write"), ("GET", f"{CONSOLE}?for=,"), ("GET", f"{CONSOLE}?FOR=watch"),
        ("GET", f"{CONSOLE}?for=administer"), ("GET", f"{CONSOLE}?for=watch%00"), ("GET", f"{CONSOLE}?%00=x"),
        ("GET", f"{CONSOLE}/transcript?offset=0&offset=5"), ("GET", f"{CONSOLE}/transcript?offset=%D9%A1"),
        ("GET", f"{CONSOLE}/transcript?format=raw&format=cast"), ("GET", f"{CONSOLE}/transcript?limit=1e3"),
        ("GET", f"{CONSOLE}/transcript?x=1"), ("POST", f"{SESSIONS}?mode=watch"), ("GET", f"{SESSIONS}?x=,"),
        ("DELETE", f"{SESSIONS}/xxxxxxxx?all=true"), ("POST", f"{CONSOLE}/restart?reason=x"), ("GET", f"{POLICY}?x=1"),
        ("DELETE", f"{POLICY}?if-match=x"), ("GET", "/api/consoles?filter=x"), ("GET", "/api/approvals?%ff=%ff"),
        ("GET", "/api/policy?" + "&".join(f"x{n}=1" for n in range(500))),
    ],
)  # fmt: skip
def test_a_query_that_nobody_would_read_is_refused(plane: ControlPlane, adas: bytes, method: str, target: str) -> None:
    answer = sent(plane, target.encode(), [adas], method=method.encode())
    assert (answer.status, answer.code) == (400, "InvalidRequest")


@pytest.mark.parametrize("target", [f"{CONSOLE}?for=", f"{CONSOLE}?force", f"{CONSOLE}?%00"])
def test_a_field_without_a_value_is_as_if_it_were_not_there(plane: ControlPlane, adas: bytes, target: str) -> None:
    answer = sent(plane, target.encode(), [adas])
    assert (answer.status, answer.json["for"]) == (200, "write")
