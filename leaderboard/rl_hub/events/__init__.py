"""What happened, told to subscribers in this process and to webhooks."""
