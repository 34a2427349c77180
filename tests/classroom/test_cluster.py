"""Grading on a Dask cluster: real worker processes, one of which is killed in mid-batch."""

import csv
import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from course_lib.classroom.batch import grade_folder

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def cluster():
    """Two worker processes; where one dies, another is started."""
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        yield cluster


@pytest.fixture
def submissions(tmp_path):
    """Solutions, untouched notebooks, and a file that is none."""
    folder = tmp_path / "submissions"
    folder.mkdir()
    for number in range(12):
        kind = "solutions" if number % 2 else "exercises"
        shutil.copy(REPOSITORY / kind / "02_l1_and_l2.ipynb", folder / f"{number:02}.ipynb")
    (folder / "broken.ipynb").write_text("{")
    return folder


def workers(cluster):
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        return set(client.run(os.getpid).values())


def test_a_killed_worker_costs_nothing_and_every_submission_is_graded_once(cluster, submissions, tmp_path):
    seen, victim = [], min(workers(cluster))

    def kill_after_the_third(done, total, record):
        seen.append(record.submission)
        if done == 3:
            os.kill(victim, signal.SIGKILL)

    options = {"dask": cluster.scheduler_address, "secret": b"of the test", "on_progress": kill_after_the_third}
    records = grade_folder(submissions, tmp_path / "out", **options)

    names = [*(f"{number:02}" for number in range(12)), "broken"]
    assert victim not in workers(cluster)
    assert sorted(seen) == names == [record.submission for record in records]
    full = records[1].max_score
    assert [record.score for record in records[:-1]] == [0, full] * 6
    assert records[-1].status == "rejected"
    with open(tmp_path / "out" / "grades.csv", encoding="utf-8") as file:
        assert [row["submission"] for row in csv.DictReader(file)] == names
    journal = [json.loads(line) for line in (tmp_path / "out" / "graded.jsonl").read_text().splitlines()]
    assert sorted(line["record"]["submission"] for line in journal) == names[:-1]

    again = grade_folder(submissions, tmp_path / "here", secret=b"of the test")
    assert again == records, "this machine alone gives other grades"


def test_nothing_is_left_on_the_cluster(cluster, submissions, tmp_path):
    grade_folder(submissions, tmp_path / "out", dask=cluster.scheduler_address)
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        plugins = client.run(lambda dask_worker: [name for name in dask_worker.plugins if name.startswith("course")])
        children = client.run(lambda: Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
    assert set(map(tuple, plugins.values())) == {()}
    assert set(map(tuple, children.values())) == {()}


def test_another_version_of_the_library_grades_nothing(cluster, submissions, tmp_path, monkeypatch):
    monkeypatch.setattr("course_lib.classroom.cluster.library", lambda: "another")
    with pytest.raises(ValueError, match="another version of course_lib; install the same"):
        grade_folder(submissions, tmp_path / "out", dask=cluster.scheduler_address)
    assert not (tmp_path / "out").exists()


def test_a_cluster_without_workers_and_an_address_without_cluster(submissions, tmp_path):
    with LocalCluster(n_workers=0, dashboard_address=None) as empty:
        with pytest.raises(ValueError, match="no workers; start some: dask worker"):
            grade_folder(submissions, tmp_path / "out", dask=empty.scheduler_address)
        address = empty.scheduler_address
    with pytest.raises(OSError, match=address):
        grade_folder(submissions, tmp_path / "out", dask=address)
    with pytest.raises(ValueError, match="dask is 'not an address', which is no address"):
        grade_folder(submissions, tmp_path / "out", dask="not an address")
    assert not (tmp_path / "out").exists()
