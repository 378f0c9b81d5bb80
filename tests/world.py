"""The whole running sandbox, as tests drive it."""

from sandbox.places import CannotRun
from sandbox.running import VARIABLES as VARIABLES
from sandbox.running import RunningWorld as RunningWorld
from sandbox.running import free_ports as free_ports
from sandbox.running import wait_for as wait_for


def database_started(world: RunningWorld) -> bool:
    """Start PostgreSQL, if what the dead one shared is free."""
    try:
        world.world.cluster.start()
    except CannotRun:
        return False
    return True
