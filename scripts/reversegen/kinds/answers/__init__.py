"""The one place where an answer is taken from a response.

Labels, votes, references, option letters, refusals and judges all start from `read_reply`: it removes a thought and says
why a response is no answer. What an answer looks like is the business of the other modules of this folder.
"""
