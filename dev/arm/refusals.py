"""ARM's errors, in its own words: clients, and people who search the web, know these sentences.

Sources: Azure/azure-resource-manager-rpc, v1.0/common-api-details.md, for the envelope; MicrosoftDocs/azure-docs,
azure-resource-manager/troubleshooting and role-based-access-control/troubleshooting.md, for codes and sentences.
"""

from collections.abc import Mapping


class RefusedError(Exception):
    """A request that ARM or a provider refuses."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers or {})

    def body(self) -> dict[str, dict[str, str]]:
        return {"error": {"code": self.code, "message": self.message}}


def authorization_failed(name: str, oid: str, action: str, scope: str) -> RefusedError:
    return RefusedError(
        403,
        "AuthorizationFailed",
        f"The client '{name}' with object id '{oid}' does not have authorization to perform action '{action}' over "
        f"scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
    )


def scope_locked(scope: str, locked: str) -> RefusedError:
    return RefusedError(
        409,
        "ScopeLocked",
        f"The scope '{scope}' cannot perform write operation because following scope(s) are locked: '{locked}'. "
        "Please remove the lock and try again.",
    )


def missing_api_version() -> RefusedError:
    return RefusedError(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )


def invalid_api_version(version: str) -> RefusedError:
    return RefusedError(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")


def invalid_subscription(subscription: str) -> RefusedError:
    return RefusedError(
        400,
        "InvalidSubscriptionId",
        f"The provided subscription identifier '{subscription}' is malformed or invalid.",
    )


def subscription_not_found(subscription: str) -> RefusedError:
    return RefusedError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def group_not_found(group: str) -> RefusedError:
    return RefusedError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def resource_not_found(kind: str, name: str, group: str) -> RefusedError:
    return RefusedError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def instance_not_found(instance: str) -> RefusedError:
    return RefusedError(
        404,
        "InvalidParameter",
        f"The provided instanceId {instance} is not an active Virtual Machine Scale Set VM instanceId.",
    )


def type_not_found(path: str) -> RefusedError:
    return RefusedError(404, "InvalidResourceType", f"The resource type could not be found for the path '{path}'.")


def method_not_allowed(method: str) -> RefusedError:
    return RefusedError(405, "MethodNotAllowed", f"The HTTP method '{method}' is not supported at this resource.")


def invalid_request(message: str) -> RefusedError:
    return RefusedError(400, "InvalidRequestContent", message)


def too_many_requests(kind: str, place: str, principal: str, seconds: int) -> RefusedError:
    """Source: Azure/apiops issue 612, and MicrosoftDocs/azure-docs issue 105248 for an older sentence."""
    text = (
        f"Number of '{kind}' requests for subscription '{place}' actor '{principal}' exceeded. Please try again after "
        f"'{seconds}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for "
        "additional information."
    )
    return RefusedError(429, "SubscriptionRequestsThrottled", text, {"Retry-After": str(seconds)})
