"""`python -m rl_leaderboard` for a course whose only game is short, with leases of the judge's that end soon.

    SHORT_COURSE=folder SHORT_LEASE=3 python tests/short_classroom.py judge --workers 2

There are no settings for either. Workers' processes are spawned: each runs this file too before it begins.
"""

import functools
import os
import sys
from pathlib import Path

from rl_leaderboard.classroom import Classroom
from rl_leaderboard.cli import main
from rl_units.course import load_course

Classroom.open = functools.partial(Classroom.open, course=load_course(Path(os.environ["SHORT_COURSE"])))
if "judge" in sys.argv:
    from rl_leaderboard.judge import workers

    workers.LEASE_SECONDS = float(os.environ["SHORT_LEASE"])

if __name__ == "__main__":
    sys.exit(main())
