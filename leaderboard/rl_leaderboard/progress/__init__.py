"""How far a student is: assignments, quizzes, certificates."""
