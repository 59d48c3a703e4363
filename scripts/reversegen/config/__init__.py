"""The configuration: what every key means, its type and its range. It knows no kind of task."""
