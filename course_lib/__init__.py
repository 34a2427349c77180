"""Pruning neural networks in Keras 3: the library that the course teaches.

One idea runs through it:

    score -> masks -> hold -> fit -> shrink -> deploy

A *score* is a function ``score(model, data) -> {variable path: array}``, high = keep. Masks are made from
scores, held while the model trains on, and turned into a smaller file.

Import the floor you need, for example ``from course_lib import data, models, scores, training``.
Importing ``course_lib`` itself, its schedules, masks and classroom does not import TensorFlow.
"""

__version__ = "0.1.0"
