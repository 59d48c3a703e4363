"""Speed and memory, measured beside what they must not exceed; `make bench` runs them, the tests do not."""
