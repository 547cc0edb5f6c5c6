"""Stores of jobs that differ in everything a filter can ask for, and what plain Python says a filter finds in them."""

from __future__ import annotations

import json
import random
import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

import evalstore

WORDS = ("alpha", "Beta", "a_b", "a%b", "50%", "é", "x.y", "", "null", "7", "ÉTÉ", "ΣΑΣ", "Да")
MODELS = (None, "default/alpha", "meta-llama/Llama-3.1-8B", "default/a_b")
TAGS = ("nightly", "Paper", "a_b", "é", "Σας")
TIMES = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=h, microseconds=h * 7) for h in (0, 1, 1, 5, 48)]
ZONES = ("", "Z", "+00:00", "+05:00", "-03:30")
LARGE = (2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 + 1, 2**64 - 1, 2**70, 2**70 + 1, 0.5, 1e22)
NUMBERS = (None, 0.0, 0.25, 0.5, 1.0, -3.0)
SCORES = ("accuracy", "rouge", "bleu.1")
STATISTICS = ("mean", "min", "count", "sample_std_dev", "p90")


def make(root, count, seed):
    """A store of this many jobs, made from the documents of one that was recorded; what they say, as plain dicts."""
    rng = random.Random(seed)
    with evalstore.open(root) as store:
        with store.job("template") as job:
            for suite in ("default", "hard"):
                scores = {"accuracy": 0.5, "rouge": [{"name": name, "value": 0.3} for name in ("rouge", "bleu.1")]}
                job.log(item={"q": 1}, suite=suite, scores=scores, row_key="1")
        folder = store.root / "jobs/default/template"
        document = json.loads((folder / "job.json").read_text())
        told = []
        for number in range(count):
            changed = varied(document, rng, number)
            told.append(changed)
            place = store.root / "jobs" / changed["job"]["workspace"] / changed["job"]["name"]
            place.mkdir(parents=True)
            for kind in ("scores", "rows"):
                (place / changed["files"][kind]["name"]).hardlink_to(folder / document["files"][kind]["name"])
            (place / "job.json").write_text(json.dumps(changed))
        store.delete("template")
        store.rebuild()
    return [plain(one) for one in told]


def varied(document, rng, number):
    job_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    config = {"temperature": rng.choice([0, 0.5, "0", True, None]), "deep": {"list": [1, rng.choice(WORDS)]}}
    config["seed"] = rng.choice([*LARGE, *LARGE, None, "9007199254740993"])
    job = {
        "job_id": job_id,
        "workspace": rng.choice(["default", "default", "other"]),
        "name": f"{rng.choice(['job', 'Run', 'a_b'])}-{number}",
        "metric_ref": rng.choice(["ws/exact", None]),
        "model": rng.choice(MODELS),
        "dataset": rng.choice(MODELS),
        "group": rng.choice([None, *WORDS]),
        "status": rng.choice(["completed", "completed", "completed", "error"]),
        "created_at": rng.choice(TIMES).isoformat(),
        "finished_at": rng.choice([None, rng.choice(TIMES).isoformat()]),
        "duration": rng.choice(NUMBERS),
        "cost": rng.choice(NUMBERS),
        "overall_score": rng.choice(NUMBERS),
        "tags": sorted(rng.sample(TAGS, rng.randrange(3))),
        "labels": {key: rng.choice(WORDS) for key in rng.sample(["team", "x.y"], rng.randrange(3))},
        "config": rng.choice([None, config, config]),
        "metadata": rng.choice([None, {"tag": rng.choice(WORDS)}]),
    }
    aggregates = [
        {
            **one,
            **{field: rng.choice(NUMBERS) for field in ("mean", "minimum", "sample_std_dev")},
            "count": rng.randrange(3),
            "percentiles": rng.choice([None, [rng.choice(NUMBERS) for _ in range(10)]]),
        }
        for one in document["aggregates"]
        if rng.random() < 0.7
    ]
    files = {kind: {**file, "name": f"{kind}-{job_id}.parquet"} for kind, file in document["files"].items()}
    return {**document, "job": {**document["job"], **job}, "aggregates": aggregates, "files": files}


def plain(document):
    """What a document says, under the names of the fields, times as times."""
    job = dict(document["job"])
    for field in ("created_at", "finished_at"):
        job[field] = None if job[field] is None else datetime.fromisoformat(job[field])
    job["updated_at"] = job["finished_at"] or job["created_at"]
    return {**job, "metric": job["metric_ref"], "aggregates": document["aggregates"]}


# What a filter means


def finds(given, job, bare="$eq"):
    """Whether a job is found by a filter, field by field."""
    for key, value in given.items():
        if key == "$and":
            holds = all(finds(one, job, bare) for one in value)
        elif key == "$or":
            holds = any(finds(one, job, bare) for one in value)
        elif key == "$not":
            holds = not finds(value, job, bare)
        else:
            holds = meets(values(key, job), value, bare)
        if not holds:
            return False
    return True


def meets(found, value, bare):
    """Whether what a job has meets what stands under a field."""
    if not isinstance(value, dict):
        return compared(found, bare if isinstance(value, str) else "$eq", value)
    outcomes = []
    for operator, operand in value.items():
        if operator == "$not":
            outcomes.append(not meets(found, operand, bare))
        elif operator == "$and":
            outcomes.append(all(meets(found, one, bare) for one in operand))
        elif operator == "$or":
            outcomes.append(any(meets(found, one, bare) for one in operand))
        else:
            outcomes.append(compared(found, operator, operand))
    return all(outcomes)


def compared(found, operator, operand):
    """Whether one of the values of a field meets a comparison; no value at all is null."""
    if operator == "$exists":
        return bool(found) is operand
    if operator in ("$ne", "$nin"):
        return not compared(found, {"$ne": "$eq", "$nin": "$in"}[operator], operand)
    if operator == "$in":
        return any(compared(found, "$eq", one) for one in operand)
    if operand is None:
        return not found
    if operator == "$like" and found and isinstance(found[0], datetime):
        return any(begins(one, operand) for one in found)
    return any(kind(one) is kind(operand) and TESTS[operator](one, operand) for one in found)


def begins(moment, written):
    """Whether a time, in the zone that is written, begins with what is written before it."""
    [(beginning, zone)] = re.findall(r"^(.{,10}|.{11}.*?)(Z|[+-]..:..|)$", written)
    return in_zone(moment, zone).startswith(beginning.replace(" ", "T"))


def in_zone(moment, zone):
    """A time in full, without its zone."""
    hours, minutes = (int(f"{zone[0]}{part}") for part in zone[1:].split(":")) if ":" in zone else (0, 0)
    there = moment.astimezone(timezone(timedelta(hours=hours, minutes=minutes)))
    return there.replace(tzinfo=None).isoformat(timespec="microseconds")


def kind(value):
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


TESTS = {
    "$eq": lambda one, other: one == other,
    "$lt": lambda one, other: one < other,
    "$lte": lambda one, other: one <= other,
    "$gt": lambda one, other: one > other,
    "$gte": lambda one, other: one >= other,
    "$like": lambda one, other: other.casefold() in one.casefold(),
}


def values(field, job):
    """The values that a job has in a field, which may be none."""
    head, _, rest = field.partition(".")
    if head == "labels":
        found = [job["labels"].get(rest)]
    elif head == "metadata":
        found = [job["metadata"] and job["metadata"].get(rest)]
    elif head == "config":
        found = [config_value(job["config"], rest)]
    elif head == "scores":
        name, _, statistic = rest.rpartition(".")
        found = [statistic_of(one, statistic) for one in job["aggregates"] if one["name"] == name]
    elif head == "suites":
        suite, metric, statistic = rest.split(".")
        found = [
            statistic_of(one, statistic)
            for one in job["aggregates"]
            if one["suite"] == suite and one["metric"] == metric
        ]
    elif field == "tags":
        found = job["tags"]
    else:
        found = [job[field]]
    return [one for one in found if one is not None]


def config_value(config, path):
    return {**config, "deep.list[1]": config["deep"]["list"][1]}[path] if config else None


def statistic_of(aggregate, statistic):
    if statistic == "p90":
        return aggregate["percentiles"] and aggregate["percentiles"][8]
    return aggregate[{"min": "minimum"}.get(statistic, statistic)]
