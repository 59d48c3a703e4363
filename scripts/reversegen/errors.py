"""The errors that are meant for the user."""


class BadInput(Exception):
    """Something the user gave is wrong: the message names the file, the field and the mend.

    `stage.run` prints it as one line without a traceback and ends with status 1.
    """


class Interrupted(Exception):
    """A signal told the job to stop; its state is kept, and the same command goes on from it. `stage.run` ends as above."""
