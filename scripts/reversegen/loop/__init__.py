"""The method, one module a step, in the order of the loop."""
