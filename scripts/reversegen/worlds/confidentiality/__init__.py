"""The world of confidential system texts: attempts to make a model tell a secret, and the verifier that sees whether it did."""
