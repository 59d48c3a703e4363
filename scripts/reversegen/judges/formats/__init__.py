"""The published formats of the questions and replies of safety judges, one module each. `judges.JUDGES` lists all formats."""
