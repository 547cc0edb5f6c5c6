"""aevaluate(): the same rows from inside an event loop, for any number of readers, none of whom waits for ever."""

import asyncio
import threading
import time

import pytest

from evalstore.evaluation import aevaluate, evaluate

DATA = [{"inputs": {"q": number}, "outputs": {"a": 2 * number}, "id": f"n{number}"} for number in range(6)]


async def double(inputs):
    await asyncio.sleep(0)
    return {"a": 2 * inputs["q"]}


def right(outputs, reference_outputs):
    return outputs == reference_outputs


async def later(run, example):
    await asyncio.sleep(0)
    return {"key": "later", "score": 0.5}


def in_time(coroutine, seconds=30):
    return asyncio.run(asyncio.wait_for(coroutine, seconds))


@pytest.mark.parametrize("concurrency", [0, 3, None])
@pytest.mark.parametrize("blocking", [True, False])
def test_all_rows_come_and_are_stored_in_the_order_of_the_dataset(store, concurrency, blocking):
    async def main():
        results = await aevaluate(double, DATA, [right, later], [lambda outputs: 1.0 * len(outputs)], store=store,
                                  name="run", max_concurrency=concurrency, blocking=blocking)  # fmt: skip
        rows = [row async for row in results]
        await results.wait()
        return results, rows

    results, rows = in_time(main())
    assert sorted(row["example"].id for row in rows) == [f"n{number}" for number in range(6)]
    assert [[one.score for one in row["evaluation_results"]["results"]] for row in rows] == [[True, 0.5]] * 6
    assert [one.score for one in results.summary] == [6]
    assert len(results) == 6
    assert results[-1] is rows[-1]
    assert store.sql("SELECT row_key FROM rows ORDER BY row_index").to_series().to_list() == [f"n{n}" for n in range(6)]
    assert store.show("run")["status"] == "completed"
    assert results.to_pandas().shape == (6, 9)


def test_several_consumers_read_at_once_and_each_reads_all(store):
    async def main():
        results = await aevaluate(double, DATA, [later], store=store, blocking=False, max_concurrency=2)

        async def read():
            return [row["example"].id async for row in results]

        first, second, third = await asyncio.gather(read(), read(), read())
        assert first == second == third == await read()
        assert len(first) == 6

    in_time(main())


def failing():
    yield from DATA[:2]
    raise ConnectionError("the data is gone")


async def failing_later():
    for row in DATA[:2]:
        yield row
    await asyncio.sleep(0.1)
    raise ConnectionError("the data is gone")


@pytest.mark.parametrize("source", [failing, failing_later])
def test_a_consumer_that_waits_learns_of_the_failure(store, source):
    async def main():
        results = await aevaluate(double, source(), [right], store=store, name="run", blocking=False)

        async def read():
            seen = []
            with pytest.raises(ConnectionError):
                seen.extend([row async for row in results])
            return seen

        await asyncio.gather(read(), read())
        await read()
        with pytest.raises(ConnectionError):
            await results.wait()
        return results

    assert len(in_time(main())) == 2
    assert (store.show("run")["status"], store.show("run")["rows_total"]) == ("error", 2)


def test_the_failure_is_raised_where_it_is_waited_for(store):
    with pytest.raises(ConnectionError):
        in_time(aevaluate(double, failing(), [right], store=store, name="run"))
    assert store.show("run")["rows_total"] == 2


def test_a_cancelled_experiment_is_interrupted_with_its_rows(store):
    async def stuck(inputs):
        if inputs["q"] == 2:
            await asyncio.sleep(60)
        return {"a": 1}

    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(aevaluate(stuck, DATA, [right], store=store, name="run", max_concurrency=2), 1)

    in_time(main())
    shown = store.show("run")
    assert shown["status"] == "interrupted"
    assert shown["rows_total"] >= 2


def test_plain_functions_run_in_threads_and_do_not_hold_up_the_loop(store):
    threads = []

    def slow(inputs):
        threads.append(threading.current_thread())
        time.sleep(0.2)
        return {"a": 2 * inputs["q"]}

    async def main():
        ticks = 0
        running = asyncio.ensure_future(aevaluate(slow, DATA[:2], [right], store=store))
        while not running.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks

    assert in_time(main()) > 20
    assert threading.main_thread() not in threads


def test_many_slow_targets_take_the_time_of_one(store):
    async def slow(inputs):
        await asyncio.sleep(0.5)
        return {"a": 1}

    async def main():
        data = [{"inputs": {"q": number}} for number in range(100)]
        results = await aevaluate(slow, data, store=store, max_concurrency=100, blocking=False)
        began = time.monotonic()
        assert len([row async for row in results]) == 100
        return time.monotonic() - began

    assert in_time(main()) < 5


def test_no_socket_is_ever_opened(store, monkeypatch):
    import socket

    async def plain():
        return await aevaluate(double, DATA, [right, later], [lambda outputs: 1], store=store, upload_results=True)

    def refuse(*_, **__):
        raise AssertionError("a socket was opened")

    async def main():
        with monkeypatch.context() as patch:  # the loop has the pair of its own already
            for name in ("connect", "connect_ex", "bind", "sendto", "sendmsg"):
                patch.setattr(socket.socket, name, refuse, raising=False)
            patch.setattr(socket, "getaddrinfo", refuse)
            return await plain()

    assert len(in_time(main())) == 6
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", refuse)
        results = evaluate(lambda inputs: inputs, DATA, [right], [lambda outputs: 1], store=store, max_concurrency=2)
        assert len(list(results)) == 6
