"""Of whom the tenant demands a second factor for Azure Resource Manager: as the fleet has it, until that is changed."""

from dataclasses import dataclass, field

from dev.demo import PEOPLE


def _of_the_fleet() -> set[str]:
    return {person.oid for person in PEOPLE if person.second_factor}


@dataclass
class Demands:
    """`people` are object ids."""

    people: set[str] = field(default_factory=_of_the_fleet)

    def put(self, oid: str, *, second_factor: bool) -> None:
        if second_factor:
            self.people.add(oid)
        else:
            self.people.discard(oid)
