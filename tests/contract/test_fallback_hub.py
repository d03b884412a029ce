"""What the fallback on azure-functions-durable 1.x tells of a task hub that is away, and what it does not."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from dev.older_durable import PYTHON
from dev.stack import ROOT

KEY = "the-key-of-the-durable-webhook"


@pytest.mark.skipif(not PYTHON.exists(), reason="`python -m dev.prepare --tests` was not run: no packages of 1.x")
def test_a_hub_that_is_away_is_told_and_its_key_by_nobody() -> None:
    command = [str(PYTHON), str(Path(__file__).parent / "fallback_hub.py"), KEY]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "infra/durable1")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    away, failing = [[kind for kind, _ in calls] for calls in json.loads(done.stdout)]
    assert away == ["HubAway"] * 4
    assert failing == [*["HubAway"] * 3, "answered"], "to 1.x a status of 500 is an orchestration that failed"
    assert KEY not in done.stdout + done.stderr
