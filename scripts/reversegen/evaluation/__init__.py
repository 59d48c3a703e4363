"""What is measured, of proposers, targets and judges, and how sure the numbers are."""
