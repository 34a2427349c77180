"""``course release``: what leaves the course, as zip files that have been inspected before they are put in place.

    learners    the lessons, the exercises to fill in, and the library with frozen exercises
    github      the same as a template repository, with a workflow that checks every push
    gradescope  an autograder for one chapter: the library with its declarations, and a secret

Each is a folder first. What learners get is held to :mod:`contents` before it is packed.
"""
