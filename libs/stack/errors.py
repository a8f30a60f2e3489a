"""What goes wrong on the way up, said in one line."""


class StackError(Exception):
    """The machine, the settings or a process prevents it; the text is one line for the operator."""


class Interrupted(Exception):
    """Someone asked for the end (Ctrl-C, SIGTERM) while the stack was busy with something else."""
