"""Not written yet."""


def measure(programs, figures):
    """Appends the figures of this part to `figures`."""
