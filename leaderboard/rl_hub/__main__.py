"""`python -m rl_hub`."""

import os
import sys

from rl_hub.cli import main

# What the Hub writes is for the account that runs it: databases, class lists with passwords, backups.
os.umask(0o077)
sys.exit(main())
