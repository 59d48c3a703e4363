"""The page of a task: one self-contained HTML file."""
