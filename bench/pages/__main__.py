"""``python -m bench.pages``: take the pictures of the contact sheet and write its page."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench.pages.browser import launched, visiting
from bench.pages.sheet import FOLDER, PAGE, lay_out, take
from bench.pages.walk import walk
from bench.pages.walker import Walker
from sandbox.places import CannotRun
from sandbox.running import RunningWorld

CROWD = 40


def main(arguments: list[str]) -> int:
    """Start a sandbox, walk through it, keep every picture; the exit code is 1 when a console complained."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description="A contact sheet of every page.")
    parser.parse_args(arguments)
    complaints: list[str] = []
    try:
        with tempfile.TemporaryDirectory(prefix="pooya-pages-") as directory:
            world = RunningWorld(Path(directory) / "state", settings={"POOYA_CROWD": str(CROWD)})
            world.start()
            try:
                with launched() as browser, visiting(browser, complaints) as context:
                    shots = list(take(walk(Walker(world, context))))
                world.audit()
            finally:
                world.stop()
    except CannotRun as error:
        print(error, file=sys.stderr)
        return 1
    PAGE.write_text(lay_out(shots))
    taken = {shot.file for shot in shots}
    for stale in set(FOLDER.glob("*.webp")) - taken:
        stale.unlink()
    print(f"{len(taken)} pictures, {sum(file.stat().st_size for file in taken) / 1e6:.1f} MB")
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
