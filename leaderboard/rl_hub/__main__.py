"""`python -m rl_hub`."""

import sys

from rl_hub.cli import main

sys.exit(main())
