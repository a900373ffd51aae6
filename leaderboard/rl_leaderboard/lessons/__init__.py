"""Lessons and quizzes as HTML. No database; nothing here reads a stranger's text."""
