"""Source of the two modules that stand inside the sandbox in the place of others."""

__all__ = ["CLASSROOM", "HIDDEN"]

CLASSROOM = '''"""What the setup of a notebook imports from course_lib.classroom, and nothing more."""


def check(id, answer):
    """Nothing: answers are checked outside."""


def hint(id, number=None):
    """Nothing."""
'''

HIDDEN = '''"""Covers a module that the exercises ask to write. Its names can be imported, and do nothing."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def hidden(*args, **options):
        raise RuntimeError(f"{name} is hidden: the exercise asks to write it.")

    return hidden
'''
