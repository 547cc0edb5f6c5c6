"""Which files of NeMo Evaluator are one job, whichever way they are named; and what goes out under which name."""

import json

import pytest
from click.testing import CliRunner

import evalstore
from evalstore import errors
from evalstore.cli.app import evalstore as program


def put(folder, name, rows=None, told=None):
    """Writes the artifacts of a job: values of the score m, and the names of scores that are told."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    if rows is not None:
        lines = [{"row_index": n, "item": {"q": n}, "sample": {}, "metrics": {"m": [{"name": "m", "value": value}]}}
                 for n, value in enumerate(rows)]  # fmt: skip
        files.append(folder / f"{name}row-scores.jsonl")
        files[-1].write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    if told is not None:
        scores = [{"name": one, "count": 3, "nan_count": 0, "mean": 0.5, "score_type": "range"} for one in told]
        files.append(folder / f"{name}aggregate-scores.json")
        files[-1].write_text(json.dumps({"scores": scores}))
    return files


def held(store, name):
    return len(store.row_scores(name)), [score.name for score in store.aggregate_scores(name).scores]


def test_both_files_of_a_job_are_one_job_in_any_order(store, tmp_path):
    files = put(tmp_path / "in", "a.", [1.0, 0.0], ["corpus"])
    for paths in (files, files[::-1], files[:1], files[1:], [tmp_path / "in", *files]):
        report = store.import_from("nemo", paths, overwrite=True)
        is_first = paths is files
        assert (report.jobs, report.rows, len(report.flags)) == (["a"], 2 if is_first else 0, 0 if is_first else 1)
        assert sorted(report.files) == sorted(map(str, files))
        assert held(store, "a") == (2, ["corpus", "m"])
    with pytest.raises(errors.UsageError, match="at least one"):
        store.import_from("nemo", [])


def test_what_a_shell_makes_of_a_star_is_one_job_on_the_command_line(tmp_path):
    put(tmp_path / "in", "a.", [1.0, 0.0], ["corpus"])
    put(tmp_path / "in", "b.", [1.0])
    words = ["--store", str(tmp_path / "evals"), "import", "nemo", *map(str, sorted((tmp_path / "in").iterdir()))]
    done = CliRunner().invoke(program, words)
    assert done.exit_code == 0, done.stderr
    assert done.stderr.splitlines() == ["stored job a", "stored job b"]
    with evalstore.open(tmp_path / "evals") as store:
        assert held(store, "a") == (2, ["corpus", "m"])
    again = CliRunner().invoke(program, words)
    assert again.exit_code == 0
    assert again.stderr.splitlines() == [f"note: job {name} was there already, with the same content" for name in "ab"]


@pytest.mark.parametrize(
    "places",
    [
        [("job1/results", "", [1.0], None), ("job2/results", "", [0.0], None)],
        [("a", "x.", [1.0], None), ("b", "x.", None, ["corpus"])],
        [("x", "", [1.0], None), ("x", "x.", [1.0], None)],
    ],
)
def test_two_jobs_of_one_name_are_refused_and_both_named(store, tmp_path, places):
    files = [file for folder, *what in places for file in put(tmp_path / "in" / folder, *what)]
    with pytest.raises(errors.UsageError, match="another name") as caught:
        store.import_from("nemo", tmp_path / "in")
    assert all(str(file) in str(caught.value) for file in files)
    assert not store.root.exists()
    report = store.import_from("nemo", files[0], job="first")
    assert report.files == [str(files[0])]


def test_a_missing_file_stops_the_others_before_anything_is_stored(store, tmp_path):
    files = put(tmp_path / "in", "a.", [1.0])
    with pytest.raises(errors.BrokenInput, match="no such file"):
        store.import_from("nemo", [*files, tmp_path / "in/b.row-scores.jsonl"])
    assert not store.root.exists()


def test_a_job_without_rows_goes_out_and_comes_back(store, tmp_path):
    with store.job("none"):
        pass
    with store.job("one") as job:
        job.log(item={"q": 1}, scores={"m": 1.0})
    [rows, aggregates, *_] = store.export(["none", "one"], "nemo", to=tmp_path / "out")
    assert (rows.read_text(), json.loads(aggregates.read_text())) == ("", {"scores": []})
    with evalstore.open(tmp_path / "other") as other:
        assert other.import_from("nemo", tmp_path / "out").jobs == ["none", "one"]
        assert held(other, "none") == (0, [])
        aggregates.unlink()
        rows.write_text("\n\n")
        assert other.import_from("nemo", rows, job="blank").rows == 0


def test_nothing_is_exported_where_something_is_wrong(store, tmp_path):
    with evalstore.open(store.root, workspace="other") as other:
        for one in (store, other):
            with one.job("llama") as job:
                job.log(item={"q": 1}, scores={"m": 1.0})
    out = tmp_path / "out"
    with pytest.raises(errors.UsageError, match="default/llama and other/llama"):
        store.export(["llama", "other/llama"], "nemo", to=out)
    with pytest.raises(errors.JobNotFound):
        store.export(["llama", "zzz"], "nemo", to=out)
    with pytest.raises(errors.UsageError, match="no exporter for 'nemmo'"):
        store.export([], "nemmo", to=out)
    assert not out.exists()
    assert len(store.export(["llama", "@last", "default/llama"], "nemo", to=out)) == 2
    [rows, _] = store.export(["other/llama"], "nemo", to=tmp_path / "second")
    assert len(rows.read_text().splitlines()) == 1
