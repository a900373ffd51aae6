"""`python -m rl_units doctor`: is everything there, and what to do where it is not."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags."""
    parser.add_argument("-f", "--folder", help="log folder given to train -f", type=Path, default=Path("logs"))


def run(options: argparse.Namespace) -> None:
    """Prints the page.

    Raises:
        UserError: If something that training needs is missing; warnings alone are no error.
    """
    from rl_units.doctor import examine, report
    from rl_units.errors import UserError

    checks = examine(options.folder)
    print(report(checks))
    failed = [check.name for check in checks if check.status == "fail"]
    if failed:
        raise UserError(f"Training will not work before this is mended: {', '.join(failed)}.")
