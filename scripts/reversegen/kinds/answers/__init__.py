"""The one place where an answer is taken from a response.

Labels, votes, references, option letters, refusals and judges all start from `read_reply`. It removes a thought, and gives
the reason if a response is not an answer. The other modules of this folder know the forms of answers.
"""
