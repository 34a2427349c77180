# The course in a container, for a user without rights:
#   docker build --tag pruning-course .
#   docker run --rm --interactive --tty --publish 127.0.0.1:8888:8888 pruning-course
FROM python:3.11-slim-bookworm

# bubblewrap is for instructors; docs/teaching.md says with which options of docker run it works
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 learner

USER learner
ENV PATH=/home/learner/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN mkdir /home/learner/course && python -m venv /home/learner/venv
WORKDIR /home/learner/course

# First what changes seldom: while the lock stays, its 2.7 GB are not installed again
COPY --chown=learner requirements.lock .
RUN pip install --requirement requirements.lock
COPY --chown=learner . .
RUN pip install --no-deps --no-build-isolation --editable .

EXPOSE 8888
CMD ["course", "lab", "--", "--ip", "0.0.0.0", "--no-browser"]
