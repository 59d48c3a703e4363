"""The published forms in which judges of safety are asked and reply, a module each; `judges.JUDGES` lists them all."""
