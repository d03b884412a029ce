import shutil

import pytest

from dev.machines import images
from dev.machines.images import Images
from dev.machines.packages import QEMU, UnavailableError
from dev.stack import Stack


@pytest.fixture(scope="session")
def built() -> Images:
    """The images that the local stack uses; built now if they are not there. Installs nothing."""
    if shutil.which(QEMU) is None:
        pytest.skip("no QEMU here: python -m dev.machines build")
    try:
        return images.ensure(Stack().home, print)
    except UnavailableError as unavailable:
        pytest.skip(str(unavailable))
