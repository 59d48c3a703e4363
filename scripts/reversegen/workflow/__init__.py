"""What the rules, the planner and the doctor ask about a run. No stage imports it."""
