""".importlinter names the modules of each kind one by one: a new one must not be forgotten."""

import configparser

import pytest

from dev.stack import ROOT

CONTRACTS = configparser.ConfigParser()
CONTRACTS.read(ROOT / ".importlinter")
PACKAGES = ("access", "session", "console", "transcript")
NO_RULES = {"__init__", "ports", "settings", "dependencies"}
"""Modules at the root of a package that say what it needs."""


def named(contract: str, key: str) -> set[str]:
    return set(CONTRACTS[f"importlinter:contract:{contract}"][key].split())


@pytest.mark.parametrize("package", PACKAGES)
def test_each_rule_of_a_package_is_held_to_be_pure(package: str) -> None:
    rules = {path.stem for path in (ROOT / "shared" / package).glob("*.py")} - NO_RULES
    prefix = f"shared.{package}."
    pure = {each.removeprefix(prefix) for each in named("rules-are-pure", "source_modules") if each.startswith(prefix)}
    assert pure == rules


@pytest.mark.parametrize("contract", ["flows-see-no-adapter", "adapters-in-wiring"])
@pytest.mark.parametrize("package", PACKAGES)
def test_each_folder_of_adapters_is_named(package: str, contract: str) -> None:
    folders = {path.parent.name for path in (ROOT / "shared" / package).glob("*/__init__.py")} - {"flows"}
    prefix = f"shared.{package}."
    there = {each.removeprefix(prefix) for each in named(contract, "forbidden_modules") if each.startswith(prefix)}
    assert there == folders
