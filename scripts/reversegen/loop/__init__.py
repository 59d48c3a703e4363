"""The steps of the method, one module for each step."""
