"""What teachers and administrators did."""
