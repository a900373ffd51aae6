"""`python -m rl_units <command>`."""

from rl_units.cli import main

raise SystemExit(main())
