"""Classes: their members, invitations and deadlines."""
