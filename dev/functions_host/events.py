"""What of an event the function sees: its body, and the metadata that the Event Hubs extension hands over.

Seen on the real host (4.1037) with Azure.Messaging.EventHubs 5.12.2.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dev.functions_host.messages import CollectionBytes, CollectionSInt64, CollectionString, TypedData


@dataclass(frozen=True)
class Event:
    """An event as a partition holds it. `offset` is opaque; `sequence_number` has no holes in a partition."""

    body: bytes
    sequence_number: int
    offset: str
    enqueued: datetime = field(default_factory=lambda: datetime.now(UTC))
    partition_key: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def system_properties(self) -> dict[str, Any]:
        return {
            "SequenceNumber": self.sequence_number,
            "Offset": self.offset,
            "PartitionKey": self.partition_key,
            "EnqueuedTimeUtc": self.enqueued.isoformat(),
        }


@dataclass(frozen=True)
class Partition:
    """A partition as one consumer group reads it. `namespace` is the host name of its Event Hubs namespace."""

    namespace: str
    hub: str
    group: str
    id: str


type Invocation = tuple[TypedData, dict[str, TypedData]]
"""The trigger's value and its metadata."""


def batch_invocation(partition: Partition, batch: Sequence[Event]) -> Invocation:
    """One invocation with all of `batch`: cardinality MANY.

    Strings that are missing are left out, so an array of keys may be shorter than the batch
    (Azure/azure-functions-host, GrpcMessageConversionExtensions.ToRpcStringArray).
    """
    return TypedData(collection_bytes=CollectionBytes(bytes=[event.body for event in batch])), {
        **_contexts(partition),
        "SequenceNumberArray": _numbers([event.sequence_number for event in batch]),
        "OffsetArray": _numbers([_as_number(event.offset) for event in batch]),
        "OffsetStringArray": _strings([event.offset for event in batch]),
        "PartitionKeyArray": _strings([event.partition_key for event in batch]),
        "EnqueuedTimeUtcArray": _json([event.enqueued.isoformat() for event in batch]),
        "SystemPropertiesArray": _json([event.system_properties for event in batch]),
        "PropertiesArray": _json([dict(event.properties) for event in batch]),
    }


def single_invocation(partition: Partition, event: Event) -> Invocation:
    """One invocation with one event: cardinality ONE."""
    return TypedData(bytes=event.body), {
        **_contexts(partition),
        "SystemProperties": _json(event.system_properties),
        "Properties": _json(dict(event.properties)),
        **{name: _json(value) for name, value in event.system_properties.items()},
    }


def _contexts(partition: Partition) -> dict[str, TypedData]:
    """Where the events come from, under both names that the extension has for it."""
    context = {
        "FullyQualifiedNamespace": partition.namespace,
        "EventHubName": partition.hub,
        "ConsumerGroup": partition.group,
        "PartitionId": partition.id,
        "IsCheckpointingAfterInvocation": True,  # after every batch: host.json's batchCheckpointFrequency is 1
    }
    return {"PartitionContext": _json(context), "TriggerPartitionContext": _json(context)}


def _numbers(values: list[int]) -> TypedData:
    return TypedData(collection_sint64=CollectionSInt64(sint64=values))


def _strings(values: list[str | None]) -> TypedData:
    return TypedData(collection_string=CollectionString(string=[value for value in values if value]))


def _as_number(offset: str) -> int:
    """The offset as it was told before it became a text; the least number where it is none."""
    return int(offset) if offset.isdecimal() else -(2**63)


def _json(value: Any) -> TypedData:
    return TypedData(json=json.dumps(value, default=str))
