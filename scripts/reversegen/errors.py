"""The one error that is meant for the user."""


class BadInput(Exception):
    """Something the user gave is wrong: the message names the file, the field and the mend.

    `stage.run` prints it as one line without a traceback and ends with status 1.
    """
