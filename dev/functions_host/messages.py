"""Stand-ins for the FunctionRpc messages that azure_functions_runtime reads and writes.

In Azure the worker process hands its generated gRPC module to the library. The library only builds messages by keyword,
reads fields and asks `WhichOneof`, so namespaces do. This module as a whole takes the place of the generated one.
"""

from types import SimpleNamespace


class Message(SimpleNamespace):
    """Any message: its fields are what it was built with."""


class TypedData(Message):
    """A value with its kind: exactly one of string, json, bytes, http, collection_bytes..."""

    def WhichOneof(self, _oneof: str) -> str | None:  # noqa: N802 - protobuf's name
        return next(iter(vars(self)), None)


class ParameterBinding(Message):
    def WhichOneof(self, _oneof: str) -> str:  # noqa: N802 - protobuf's name
        return "data"


class BindingInfo(Message):
    undefined, out, inout = 0, 1, 2


class StatusResult(Message):
    Failure, Success = 0, 1


class RpcHttpCookie(Message):
    SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})


class CollectionBytes(Message): ...


class CollectionString(Message): ...


class CollectionSInt64(Message): ...


class FunctionLoadResponse(Message): ...


class FunctionMetadataResponse(Message): ...


class InvocationRequest(Message): ...


class InvocationResponse(Message): ...


class NullableBool(Message): ...


class NullableDouble(Message): ...


class NullableString(Message): ...


class NullableTimestamp(Message): ...


class RetryContext(Message): ...


class RpcException(Message): ...


class RpcFunctionMetadata(Message): ...


class RpcHttp(Message): ...


class RpcRetryOptions(Message): ...


class RpcTraceContext(Message): ...


class WorkerInitResponse(Message): ...


class WorkerMetadata(Message): ...
