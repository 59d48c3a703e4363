"""The published forms in which judges of safety are asked and reply, a module each; `JUDGES` in `judges/__init__.py` lists them."""
