"""What of an event the function sees: its body, and the metadata that the Event Hubs extension hands over."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dev.functions_host.messages import CollectionBytes, TypedData


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
    """One invocation with all of `batch`: cardinality MANY."""
    return TypedData(collection_bytes=CollectionBytes(bytes=[event.body for event in batch])), {
        "PartitionContext": _context(partition),
        "SystemPropertiesArray": _json([event.system_properties for event in batch]),
        "PropertiesArray": _json([dict(event.properties) for event in batch]),
    }


def single_invocation(partition: Partition, event: Event) -> Invocation:
    """One invocation with one event: cardinality ONE."""
    return TypedData(bytes=event.body), {
        "PartitionContext": _context(partition),
        "SystemProperties": _json(event.system_properties),
        "Properties": _json(dict(event.properties)),
        **{name: _json(value) for name, value in event.system_properties.items()},
    }


def _context(partition: Partition) -> TypedData:
    return _json(
        {
            "FullyQualifiedNamespace": partition.namespace,
            "EventHubName": partition.hub,
            "ConsumerGroup": partition.group,
            "PartitionId": partition.id,
        }
    )


def _json(value: Any) -> TypedData:
    return TypedData(json=json.dumps(value, default=str))
