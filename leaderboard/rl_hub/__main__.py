"""`python -m rl_hub`."""

import os
import sys

from rl_hub.commands.garbage import uncollected

# What the Hub writes is for the account that runs it: databases, class lists with passwords, backups.
os.umask(0o077)
with uncollected():
    from rl_hub.cli import main
sys.exit(main())
