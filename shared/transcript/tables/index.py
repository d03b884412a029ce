"""The index of segments: a row each, by console; what is known of it as JSON, cut into properties that a row takes."""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient

from shared.base.tables import Table, key_of
from shared.transcript.recordings import Indexed, Mark, Person, Recording

TABLE = "segments"
_TEXT = 30_000
"""Characters of a property; a row takes 32,767 in each."""
_PARTS = 15
"""Of a row, whose limit is 1 MiB. What does not fit is left out: pieces of the row's oldest recordings."""

_PLACE = "upkeep", "place"
"""Keys of the row that says where upkeep goes on: no console's partition is called so."""


class TableIndex:
    """An Index."""

    def __init__(self, service: TableServiceClient) -> None:
        self._table = Table(service, TABLE)

    async def rows(self, console: str, first: int = 0, behind: int | None = None) -> Sequence[Indexed]:
        query, keys = "PartitionKey eq @console and RowKey ge @first", {"first": f"{max(0, first):08d}"}
        if behind is not None:
            query, keys = f"{query} and RowKey lt @behind", keys | {"behind": f"{behind:08d}"}
        async with self._table.open() as table:
            entities = table.query_entities(query, parameters=keys | {"console": key_of(console)})
            return [_indexed(row) async for row in entities]

    async def put(self, console: str, row: Indexed) -> None:
        parts = _parts(row)
        entity = {"PartitionKey": key_of(console), "RowKey": f"{row.ordinal:08d}", "Parts": len(parts)}
        entity |= {f"Part{number}": part for number, part in enumerate(parts)}
        async with self._table.open() as table:
            await table.upsert_entity(entity, UpdateMode.REPLACE)

    async def forget(self, console: str, ordinal: int) -> None:
        async with self._table.open() as table:
            try:
                await table.delete_entity(key_of(console), f"{ordinal:08d}")
            except ResourceNotFoundError:
                return

    async def place(self) -> str:
        async with self._table.open() as table:
            try:
                return str((await table.get_entity(*_PLACE))["Console"])
            except ResourceNotFoundError:
                return ""

    async def put_place(self, console: str) -> None:
        partition, row = _PLACE
        async with self._table.open() as table:
            await table.upsert_entity({"PartitionKey": partition, "RowKey": row, "Console": console})


def _parts(row: Indexed) -> list[str]:
    fields = asdict(row)
    fields["carry"] = base64.b64encode(row.carry).decode()
    while True:
        text = json.dumps(fields)
        if len(text) <= _TEXT * _PARTS:
            return [text[at : at + _TEXT] for at in range(0, len(text), _TEXT)]
        fields["pieces"] = fields["pieces"][1:]


def _indexed(row: Any) -> Indexed:
    fields = json.loads("".join(row[f"Part{number}"] for number in range(row["Parts"])))
    pieces = tuple(_piece(each) for each in fields.pop("pieces"))
    return Indexed(**(fields | {"carry": base64.b64decode(fields["carry"])}), pieces=pieces)


def _piece(fields: dict[str, Any]) -> Recording:
    people = tuple(Person(**each) for each in fields.pop("people"))
    return Recording(**(fields | {"marks": tuple(Mark(**each) for each in fields["marks"])}), people=people)
