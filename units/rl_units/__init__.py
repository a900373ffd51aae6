"""The student's side of RL Classroom: course manifest and shared helpers.

Importing this package is cheap: nothing heavier than the standard library is loaded until it is needed.
"""

__version__ = "0.1.0"
