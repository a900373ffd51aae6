"""The student's side of a classroom: handing in, asking how far it is, reading boards."""
