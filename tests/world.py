"""The whole running sandbox, as tests drive it."""

from sandbox.running import VARIABLES as VARIABLES
from sandbox.running import RunningWorld as RunningWorld
from sandbox.running import free_ports as free_ports
from sandbox.running import wait_for as wait_for
