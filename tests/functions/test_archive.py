"""The Event Hub trigger: how it is bound, and how a failure is retried."""

import json
from typing import Any

from dev.stack import ROOT
from tests.functions.test_the_app import FUNCTIONS

ARCHIVE = FUNCTIONS["archive"]


def test_it_takes_events_as_they_are_and_many_at_a_time() -> None:
    (binding,) = json.loads(ARCHIVE.get_function_json())["bindings"]
    assert (binding["cardinality"], binding["dataType"]) == ("MANY", "BINARY")
    assert binding["consumerGroup"] == "$Default"


def test_while_the_storage_is_away_it_is_tried_for_ever_so_that_no_checkpoint_passes_over_records() -> None:
    policy: Any = ARCHIVE.get_settings_dict("retry_policy")
    assert policy["max_retry_count"] == "-1"
    assert policy["strategy"] == "exponential_backoff"


def test_the_checkpoint_moves_with_every_batch() -> None:
    about = json.loads((ROOT / "host.json").read_text())["extensions"]["eventHubs"]
    assert about["batchCheckpointFrequency"] == 1
